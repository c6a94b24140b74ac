/* mbedtls_config.h - what is compiled of Mbed TLS, and why.
 *
 * Every file of the library and every file of ours that includes it is compiled with
 * MBEDTLS_CONFIG_FILE naming this header, so that both sides agree on the size of each struct.
 * What is not named here is not in the program. The library's own check_config.h refuses
 * combinations that do not fit. PSA's options follow from these; there is no second table.
 */

/* The machine. Inline assembly speeds up the big numbers; AES instructions are found at run
 * time, so one program serves processors with and without them. */
#define MBEDTLS_HAVE_ASM
#if defined(__x86_64__)
#define MBEDTLS_AESNI_C
#endif
#if defined(__aarch64__)
#define MBEDTLS_AESCE_C
#define MBEDTLS_SHA256_USE_ARMV8_A_CRYPTO_IF_PRESENT
#endif

/* Memory comes from the arena that the program hands in before the first call. */
#define MBEDTLS_PLATFORM_C
#define MBEDTLS_PLATFORM_MEMORY

/* Time is told by the port, in seconds and in milliseconds; the library reads no clock. Dates
 * are compared, so a certificate that has expired or is not yet valid is refused. */
#define MBEDTLS_HAVE_TIME
#define MBEDTLS_HAVE_TIME_DATE
#define MBEDTLS_PLATFORM_TIME_ALT
#define MBEDTLS_PLATFORM_MS_TIME_ALT

/* The C library's gmtime_r reads the time zone at its first use, and allocates for that. */
#define MBEDTLS_PLATFORM_GMTIME_R_ALT

/* Handshakes run in worker threads and share keys, so the library's mutexes are needed. */
#define MBEDTLS_THREADING_C
#if __STDC_HOSTED__
#define MBEDTLS_THREADING_PTHREAD
#else
#define MBEDTLS_THREADING_ALT
#endif

/* There is one source of randomness, the port's, and mbedtls_psa_external_get_random is its
 * door. No entropy pool and no seeded generator of the library is compiled in; HMAC_DRBG
 * remains because deterministic ECDSA derives its nonces with it, from the key alone. */
#define MBEDTLS_PSA_CRYPTO_EXTERNAL_RNG
#define MBEDTLS_HMAC_DRBG_C

/* TLS 1.3 is written on PSA. Records and certificates stay on the direct calls, because PSA
 * costs allocations in each record and holds a key slot for as long as a session lives. No
 * other process shares our memory, so PSA need not copy each buffer. */
#define MBEDTLS_PSA_CRYPTO_C
#define MBEDTLS_PSA_ASSUME_EXCLUSIVE_BUFFERS

/* TLS, both ends. The server speaks 1.3; 1.2 is an option of the configuration, and the call
 * that frees a finished handshake exists only with it. Compatibility mode is for boxes on the
 * way that want to see a familiar handshake. Left out: tickets, early data, renegotiation,
 * DTLS, the session cache, name indication and ALPN, because nothing here uses them. */
#define MBEDTLS_SSL_TLS_C
#define MBEDTLS_SSL_CLI_C
#define MBEDTLS_SSL_SRV_C
#define MBEDTLS_SSL_PROTO_TLS1_2
#define MBEDTLS_SSL_PROTO_TLS1_3
#define MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL_ENABLED
#define MBEDTLS_SSL_TLS1_3_COMPATIBILITY_MODE
#define MBEDTLS_KEY_EXCHANGE_ECDHE_ECDSA_ENABLED
#define MBEDTLS_KEY_EXCHANGE_ECDHE_RSA_ENABLED
#define MBEDTLS_SSL_EXTENDED_MASTER_SECRET
#define MBEDTLS_SSL_ALL_ALERT_MESSAGES

/* TLS 1.3 insists on keeping the peer's certificate; the channel frees it by hand. */
#define MBEDTLS_SSL_KEEP_PEER_CERTIFICATE

/* Clients may send records of the full size and most of them do, so the input buffer has it;
 * it is lent only while bytes arrive. Replies are cut into records of 4 KiB. Peers that ask
 * for smaller ones are obeyed. */
#define MBEDTLS_SSL_IN_CONTENT_LEN 16384
#define MBEDTLS_SSL_OUT_CONTENT_LEN 4096
#define MBEDTLS_SSL_MAX_FRAGMENT_LENGTH
#define MBEDTLS_SSL_RECORD_SIZE_LIMIT

/* Curves: X25519 and P-256 for exchanges, P-256 for our own certificates, P-384 for the
 * certificates of others. The two tables keep a handshake at a third of the time. */
#define MBEDTLS_ECP_C
#define MBEDTLS_ECDH_C
#define MBEDTLS_ECDSA_C
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED
#define MBEDTLS_ECP_DP_SECP384R1_ENABLED
#define MBEDTLS_ECP_DP_CURVE25519_ENABLED
#define MBEDTLS_ECP_NIST_OPTIM
#define MBEDTLS_ECP_FIXED_POINT_OPTIM 1

/* A signature whose nonce follows from key and message cannot leak the key through bad luck. */
#define MBEDTLS_ECDSA_DETERMINISTIC

/* RSA serves certificates of others and the laboratory, which also makes keys. Bignum is the
 * laboratory's way to finite-field Diffie-Hellman; TLS does not offer that group. No number
 * is longer than 4096 bits, so that no certificate can ask for more work than that. */
#define MBEDTLS_BIGNUM_C
#define MBEDTLS_RSA_C
#define MBEDTLS_PKCS1_V15
#define MBEDTLS_PKCS1_V21
#define MBEDTLS_GENPRIME
#define MBEDTLS_MPI_MAX_SIZE 512

/* Ciphers: AEAD for TLS and for sealed messages. GCM runs AES in one direction alone, both ways; a
 * build with a channel of the laboratory (CHANNELS=) has CBC and CTR too, and with CBC the other
 * direction. The tables of AES are constant, because tables made at first use would be made by two
 * threads at once. On ARM one of them stands for four: the others are its words turned round, which
 * costs a block 1 % to 7 % where the processor has no instructions for AES. */
#define MBEDTLS_AES_C
#define MBEDTLS_AES_ROM_TABLES
#if defined(__arm__) || defined(__aarch64__)
#define MBEDTLS_AES_FEWER_TABLES
#endif
#define MBEDTLS_CIPHER_C
#if PENNY_LAB
#define MBEDTLS_CIPHER_MODE_CBC
#define MBEDTLS_CIPHER_MODE_CTR
#define MBEDTLS_CIPHER_PADDING_PKCS7
#else
#define MBEDTLS_BLOCK_CIPHER_NO_DECRYPT
#endif
#define MBEDTLS_GCM_C
#define MBEDTLS_CHACHA20_C
#define MBEDTLS_POLY1305_C
#define MBEDTLS_CHACHAPOLY_C

/* Hashes: MD5 only reads the password files of an older bank; nothing signs with it, and SHA-1
 * is absent, so no certificate that leans on it is accepted. */
#define MBEDTLS_MD_C
#define MBEDTLS_MD5_C
#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA384_C
#define MBEDTLS_SHA512_C
#define MBEDTLS_HKDF_C

/* Certificates: read, made, requested and revoked, all by the same library. */
#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_ASN1_WRITE_C
#define MBEDTLS_OID_C
#define MBEDTLS_BASE64_C
#define MBEDTLS_PEM_PARSE_C
#define MBEDTLS_PEM_WRITE_C
#define MBEDTLS_PK_C
#define MBEDTLS_PK_PARSE_C
#define MBEDTLS_PK_WRITE_C
#define MBEDTLS_X509_USE_C
#define MBEDTLS_X509_CREATE_C
#define MBEDTLS_X509_CRT_PARSE_C
#define MBEDTLS_X509_CRT_WRITE_C
#define MBEDTLS_X509_CSR_PARSE_C
#define MBEDTLS_X509_CSR_WRITE_C
#define MBEDTLS_X509_CRL_PARSE_C
#define MBEDTLS_X509_RSASSA_PSS_SUPPORT

/* The program asks at start whether headers and library are of one version. */
#define MBEDTLS_VERSION_C

/* Left out on purpose: FS_IO and NET_C, because files and sockets are the port's; ERROR_C and
 * DEBUG_C, because codes are translated where they appear; SELF_TEST, for its size. */
