#include "unit/tls_files.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <map>

#include "crypto/crypto.h"
#include "unit/slices.h"

namespace {

const char script[] = R"(
set -e
cat >req.cnf <<'END'
[req]
distinguished_name = dn
prompt = no
[dn]
CN = unused
[ca]
default_ca = here
[here]
database = index.txt
crlnumber = crlnumber
default_md = sha256
default_crl_days = 30
END
# The key, the words for the key, the subject, and what else the certificate says.
make() {
    name=$1 key=$2 subject=$3
    shift 3
    case $key in
    p256) set -- -newkey ec -pkeyopt ec_paramgen_curve:P-256 "$@" ;;
    p384) set -- -newkey ec -pkeyopt ec_paramgen_curve:P-384 "$@" ;;
    rsa*) set -- -newkey "rsa:${key#rsa}" "$@" ;;
    esac
    openssl req -x509 -config req.cnf -nodes -sha256 -days 300 -keyout "$name.key" \
        -out "$name.crt" -subj "$subject" "$@" 2>/dev/null
}
leaf() {
    name=$1 key=$2 subject=$3
    shift 3
    make "$name" "$key" "$subject" -CA ca.crt -CAkey ca.key "$@"
}
authority='-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign'
plain='-addext basicConstraints=critical,CA:FALSE'
client="$plain -addext extendedKeyUsage=clientAuth"
server="$plain -addext extendedKeyUsage=serverAuth"
make ca p256 '/CN=Test CA' $authority
make other-ca p256 '/CN=Other CA' $authority
leaf server p256 /CN=localhost $server -addext subjectAltName=DNS:localhost,IP:127.0.0.1
make stranger p256 /CN=till-1 -CA other-ca.crt -CAkey other-ca.key $client
leaf till p256 /CN=till-1 $client
leaf twin p256 /CN=till-1 $client
leaf revoked p256 /CN=till-2 $client -set_serial 0x1234
leaf ca-leaf p256 /CN=till-3 $authority
leaf server-use p256 /CN=till-4 $server
leaf no-use p256 /CN=till-5 $plain
leaf any-use p256 /CN=till-5 $plain -addext extendedKeyUsage=anyExtendedKeyUsage
leaf no-constraints p256 /CN=till-13 -addext extendedKeyUsage=clientAuth
leaf both-uses p256 /CN=till-5 $plain -addext extendedKeyUsage=serverAuth,clientAuth
leaf server-no-use p256 /CN=localhost $plain -addext subjectAltName=DNS:localhost,IP:127.0.0.1
leaf no-name p256 '/CN=Till Number 6' $client
leaf two-names p256 /CN=till-7/CN=admin $client
leaf long-name p256 /CN=a123456789a123456789a123456789ab $client
leaf weak-rsa rsa1024 /CN=till-8 $client
leaf rsa rsa2048 /CN=till-9 $client
leaf p384 p384 /CN=till-10 $client
make issuing p256 '/CN=Test issuing' -CA ca.crt -CAkey ca.key $authority
make below p256 /CN=till-11 -CA issuing.crt -CAkey issuing.key $client -set_serial 0x4321
cat issuing.crt >>below.crt
make other-issuing p256 '/CN=Test issuing' -CA other-ca.crt -CAkey other-ca.key $authority
leaf short p256 /CN=till-12 $client -days 10
echo 01 >crlnumber
: >index.txt
openssl ca -config req.cnf -gencrl -keyfile ca.key -cert ca.crt -out empty.pem 2>/dev/null
openssl ca -config req.cnf -gencrl -keyfile issuing.key -cert issuing.crt -out below.pem 2>/dev/null
cat empty.pem issuing.crt below.pem >both.pem
cat empty.pem below.pem >unvouched.pem
cat empty.pem other-issuing.crt below.pem >misvouched.pem
printf 'R\t360101000000Z\t260101000000Z\t4321\tunknown\t/CN=till-11\n' >index.txt
openssl ca -config req.cnf -gencrl -keyfile issuing.key -cert issuing.crt -out below.pem 2>/dev/null
cat empty.pem issuing.crt below.pem >both-revoked.pem
printf 'R\t360101000000Z\t260101000000Z\t1234\tunknown\t/CN=till-2\n' >index.txt
openssl ca -config req.cnf -gencrl -keyfile ca.key -cert ca.crt -out crl.pem 2>/dev/null
openssl ca -config req.cnf -gencrl -keyfile other-ca.key -cert other-ca.crt -out other.pem \
    2>/dev/null
)";

std::string made_dir;

void remove_dir() {
    if (system(("rm -rf '" + made_dir + "'").c_str()) != 0) abort();
}

std::string make_dir() {
    const char* base = getenv("TMPDIR");
    std::string path = std::string(base != nullptr ? base : "/tmp") + "/penny-tls-XXXXXX";
    if (mkdtemp(path.data()) == nullptr) abort();
    made_dir = path;
    if (atexit(remove_dir) != 0) abort();
    {
        std::ofstream out(path + "/make.sh");
        out << script;
    }
    if (system(("cd '" + path + "' && sh make.sh").c_str()) != 0) {
        ADD_FAILURE() << "the openssl program could not make certificates";
    }
    return path;
}

}  // namespace

const std::string& tls_files_dir() {
    static const std::string dir = make_dir();
    return dir;
}

const std::string& tls_file(const std::string& name) {
    static std::map<std::string, std::string> texts;
    const auto found = texts.find(name);
    if (found != texts.end()) return found->second;
    std::ifstream in(tls_files_dir() + "/" + name);
    EXPECT_TRUE(in.good()) << name;
    return texts[name] = std::string(std::istreambuf_iterator<char>(in), {});
}

Status tls_files_load(TlsConfig& config, TlsEnd end, const std::string& name, const std::string& ca,
                      const std::string& crl, TlsVersion version_min) {
    TlsFiles files = {};
    if (!name.empty()) {
        files.certificate = slice_of(tls_file(name + ".crt"));
        files.key = slice_of(tls_file(name + ".key"));
    }
    files.ca = slice_of(tls_file(ca));
    if (!crl.empty()) files.crl = slice_of(tls_file(crl));
    const char* reason = nullptr;
    const Status status = tls_config_load(config, end, version_min, files, reason);
    EXPECT_EQ(status == Status::ok, reason == nullptr) << (reason == nullptr ? "" : reason);
    return status;
}

void tls_files_clock(int days) {
    using std::chrono::duration_cast;
    using std::chrono::hours;
    using std::chrono::milliseconds;
    const auto now = std::chrono::system_clock::now().time_since_epoch() + hours(24) * days;
    crypto_clock_set(static_cast<uint64_t>(duration_cast<milliseconds>(now).count()));
}
