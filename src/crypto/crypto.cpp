#include "crypto/crypto.h"

#include <mbedtls/entropy.h>
#include <mbedtls/platform.h>
#include <mbedtls/platform_time.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/threading.h>
#include <psa/crypto.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/text.h"
#include "crypto/random.h"

namespace {

Heap* library_heap;  // nullptr while the library is on the C library's memory
mbedtls_threading_mutex_t heap_mutex;
bool ready;

// Seconds since 1970 UTC. Workers read it while the loop sets it; 32 bits are read whole on every
// board and last until 2106. Certificates know no finer time.
uint32_t clock_s;

void* library_calloc(size_t count, size_t size) {
    return heap_take_zeroed(*library_heap, count, size);
}

void library_free(void* block) { heap_give(*library_heap, block); }

void heap_mutex_lock(void* context) {
    const int answer = mbedtls_mutex_lock(static_cast<mbedtls_threading_mutex_t*>(context));
    CHECK(answer == 0);
}

void heap_mutex_unlock(void* context) {
    const int answer = mbedtls_mutex_unlock(static_cast<mbedtls_threading_mutex_t*>(context));
    CHECK(answer == 0);
}

mbedtls_time_t library_time(mbedtls_time_t* out) {
    const mbedtls_time_t seconds =
        static_cast<mbedtls_time_t>(__atomic_load_n(&clock_s, __ATOMIC_RELAXED));
    if (out != nullptr) *out = seconds;
    return seconds;
}

}  // namespace

// Called by the library because of MBEDTLS_PLATFORM_MS_TIME_ALT.
extern "C" struct tm* mbedtls_platform_gmtime_r(const mbedtls_time_t* unix_s, struct tm* out) {
    if (*unix_s < 0) return nullptr;
    const CivilTime time = civil_time_of(static_cast<uint64_t>(*unix_s));
    *out = {};
    out->tm_year = static_cast<int>(time.year) - 1900;
    out->tm_mon = time.month - 1;
    out->tm_mday = time.day;
    out->tm_hour = time.hour;
    out->tm_min = time.minute;
    out->tm_sec = time.second;
    return out;
}

extern "C" mbedtls_ms_time_t mbedtls_ms_time() {
    return static_cast<mbedtls_ms_time_t>(__atomic_load_n(&clock_s, __ATOMIC_RELAXED)) * 1000;
}

// Called by the library because of MBEDTLS_PSA_CRYPTO_EXTERNAL_RNG.
extern "C" psa_status_t mbedtls_psa_external_get_random(mbedtls_psa_external_random_context_t*,
                                                        uint8_t* out, size_t size,
                                                        size_t* out_size) {
    *out_size = 0;
    if (crypto_rng(nullptr, out, size) != 0) return PSA_ERROR_INSUFFICIENT_ENTROPY;
    *out_size = size;
    return PSA_SUCCESS;
}

int crypto_rng(void*, unsigned char* out, size_t size) {
    if (size > UINT32_MAX) return MBEDTLS_ERR_ENTROPY_SOURCE_FAILED;
    const Status status = crypto_random(out, static_cast<uint32_t>(size));
    return status == Status::ok ? 0 : MBEDTLS_ERR_ENTROPY_SOURCE_FAILED;
}

Status crypto_init(Heap* heap) {
    CHECK(!ready || heap == library_heap);
    if (ready) return Status::ok;
    if (heap != nullptr) {
        mbedtls_mutex_init(&heap_mutex);
        heap_init(*heap);
        heap->lock = heap_mutex_lock;
        heap->unlock = heap_mutex_unlock;
        heap->lock_context = &heap_mutex;
        library_heap = heap;
        mbedtls_platform_set_calloc_free(library_calloc, library_free);
    }
    mbedtls_platform_set_time(library_time);
    ready = psa_crypto_init() == PSA_SUCCESS;
    return ready ? Status::ok : Status::failed;
}

void crypto_free() {
    if (!ready) return;
    mbedtls_psa_crypto_free();
    if (library_heap != nullptr) mbedtls_mutex_free(&heap_mutex);
    library_heap = nullptr;
    ready = false;
}

void crypto_clock_set(uint64_t wall_ms) {
    const uint64_t seconds = wall_ms / 1000;
    const uint32_t held = seconds < UINT32_MAX ? static_cast<uint32_t>(seconds) : UINT32_MAX;
    __atomic_store_n(&clock_s, held, __ATOMIC_RELAXED);
}

Status crypto_random(uint8_t* out, uint32_t size) {
    if (size == 0 || port_random(out, size)) return Status::ok;
    wipe(out, size);
    return Status::failed;
}
