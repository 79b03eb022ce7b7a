"""Private keys: where they are held, and how they are made, used, moved in and erased.

A key is known by its file, the one that the configuration names (`utility.key`, ...). What is in
the file says how the key is held:

    PRIVATE KEY         a plain key, readable by its owner only: works without any store
    HEMS SEALED KEY     the key, encrypted; opened in memory only
    HEMS TOKEN KEY      says which key of a PKCS #11 token it is; the key never leaves that
    HEMS TPM KEY        says which key of this machine's TPM it is; the key never leaves that
    HEMS ... SECRET     the same of a secret that is no private key: a database's, say
    HEMS ... COUNTER    says where in token or TPM a counter is that only goes up

The one interface is `certs.keys.store.KeyStore`; `certs.keys.opening.key_store` makes the one that
the configuration names ("plain", "file", "pkcs11", "tpm").

    store.make(path)            makes a P-256 key, keeps it at `path`; returns its public key
    store.keep(path, key)       takes a key that exists already (from a utility, or plain)
    store.public(path)          the public key; asks no hardware
    store.signer(path)          a `cryptography` private key that signs by the store: for requests
                                (CSRs) and everything else that is signed
    store.tls(path)             a block in which `ssl.SSLContext.load_cert_chain` can read the key
    store.held(path)            `Held`: plain, encrypted, sealed by hardware, or in hardware
    store.erase(path)           erases it; returns what was done as proof
    store.seal(path, secret)    keeps another secret than a private key, of at most 128 octets
    store.unseal(path)          that secret
    store.counter(path)         a counter in hardware (`certs.keys.counting`); None where none is
    store.check()               raises `KeyStoreGoneError` where the store cannot be reached

TLS contexts take the store with the files: `IdentityFiles(certificate, key, keys=store)`; without
one the key is a plain PEM file, as ever. Every store reads plain keys as well, so that a home is
moved in one key after the other (`hems keys move`).

All errors are `certs.errors.CertificateError`s (`certs.keys.errors`). Calls block: for as long as
Argon2id or the hardware takes.
"""
