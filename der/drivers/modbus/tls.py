"""TLS towards a Modbus device (Modbus/TCP Security V36): contexts out of files, causes in words."""

import ssl

from der.addresses import TlsFiles


class TlsFilesError(Exception):
    """A file is missing or is not what it should be; `str()` names it and the cause."""


def client_context(files: TlsFiles) -> ssl.SSLContext:
    """Return a context that trusts the named roots only and checks the peer's name.

    Args:
        files: Roots, and our own certificate where the device wants one.

    Raises:
        TlsFilesError: They cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # certificate and name are checked
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cafile=files.trust)
    except OSError as error:
        raise TlsFilesError(f"tls_trust {files.trust}: {tls_cause(error)}") from error
    if files.certificate is not None:
        try:
            # A password that is given is never asked for at a terminal that nobody watches.
            context.load_cert_chain(files.certificate, files.key, password="")
        except OSError as error:
            pair = f"tls_certificate {files.certificate} with tls_key {files.key}"
            raise TlsFilesError(f"{pair}: {tls_cause(error)}") from error
    return context


def tls_cause(error: OSError) -> str:
    """Return the cause of a failure in a few words, without the library's file and line."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate refused: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        reason = (error.reason or "failure").replace("_", " ").lower()
        return f"TLS: {reason}"
    return error.strerror or type(error).__name__
