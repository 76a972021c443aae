// libssl and libcrypto, with functions in the place of those macros that Swift cannot call.
#pragma once

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

static inline int openssl_set_minimum_version(SSL_CTX *context, int version) {
    return (int)SSL_CTX_set_min_proto_version(context, version);
}

static inline int openssl_set_groups(SSL_CTX *context, const char *list) {
    return (int)SSL_CTX_set1_groups_list(context, list);
}

/// What a server that faces strangers wants. An end without close_notify is an end: the length of each message tells
/// whether it is whole (RFC 9112 §9.8).
static inline void openssl_set_server_options(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE
        | SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF);
}

/// For sockets that never wait: a write may be partial, and be tried again from other memory; a read comes back after
/// each record, so that records without data cannot keep it for ever; memory is given back between records.
static inline void openssl_set_nonblocking_mode(SSL_CTX *context) {
    SSL_CTX_set_mode(context,
        SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
}

static inline void openssl_disable_session_cache(SSL_CTX *context) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

/// Takes the certificate over.
static inline int openssl_add_chain_certificate(SSL_CTX *context, X509 *certificate) {
    return (int)SSL_CTX_add0_chain_cert(context, certificate);
}

static inline void openssl_set_retry_read(BIO *bio) {
    BIO_set_retry_read(bio);
}

static inline void openssl_set_retry_write(BIO *bio) {
    BIO_set_retry_write(bio);
}

static inline void openssl_clear_retry(BIO *bio) {
    BIO_clear_retry_flags(bio);
}
