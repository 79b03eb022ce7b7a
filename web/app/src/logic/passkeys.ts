/** Passkeys as browsers make and use them (WebAuthn), between what the hub asks and is told. */

import type { AskedAnswer, PasskeyOrder, SignedOrder } from "../api/schema";

/** ES256, EdDSA and RS256, as authenticators have them (RFC 9053). */
const ALGORITHMS = [-7, -8, -257];
const LASTS_MS = 300_000;
const HUB = "Home energy";

/** Whether this browser has passkeys where the page is open as it is. */
export function havePasskeys(): boolean {
  return window.isSecureContext && "PublicKeyCredential" in window;
}

/** Have the browser make a passkey; null where the reader would rather not. */
export async function makePasskey(
  asked: AskedAnswer,
  name: string,
): Promise<PasskeyOrder | null> {
  const made = await asking(() =>
    navigator.credentials.create({
      publicKey: {
        challenge: bytesOf(asked.challenge),
        rp: { id: asked.site, name: HUB },
        user: { id: bytesOf(asked.handle), name: asked.name, displayName: asked.name },
        pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: "public-key", alg })),
        excludeCredentials: named(asked),
        authenticatorSelection: {
          residentKey: "required",
          requireResidentKey: true,
          userVerification: "required",
        },
        attestation: "none",
        timeout: LASTS_MS,
      },
    }),
  );
  if (!(made?.response instanceof AuthenticatorAttestationResponse)) return null;
  return {
    name,
    credential: textOf(made.rawId),
    client_data: textOf(made.response.clientDataJSON),
    attestation: textOf(made.response.attestationObject),
  };
}

/** Have a passkey answer; null where the reader would rather not. */
export async function useAPasskey(asked: AskedAnswer): Promise<SignedOrder | null> {
  const found = await asking(() =>
    navigator.credentials.get({
      publicKey: {
        challenge: bytesOf(asked.challenge),
        rpId: asked.site,
        allowCredentials: named(asked),
        userVerification: "required",
        timeout: LASTS_MS,
      },
    }),
  );
  if (!(found?.response instanceof AuthenticatorAssertionResponse)) return null;
  return {
    credential: textOf(found.rawId),
    client_data: textOf(found.response.clientDataJSON),
    authenticator_data: textOf(found.response.authenticatorData),
    signature: textOf(found.response.signature),
  };
}

function named(asked: AskedAnswer): PublicKeyCredentialDescriptor[] {
  return asked.credentials.map((each) => ({ type: "public-key", id: bytesOf(each) }));
}

/** Ask the browser; what it refuses (taken away, not allowed, known already) is nothing made. */
async function asking(ask: () => Promise<Credential | null>): Promise<PublicKeyCredential | null> {
  try {
    const found = await ask();
    return found instanceof PublicKeyCredential ? found : null;
  } catch (reason) {
    if (reason instanceof DOMException) return null;
    throw reason;
  }
}

/** Return binary as the hub takes it: base64url without padding. */
export function textOf(binary: ArrayBuffer): string {
  const letters = String.fromCharCode(...new Uint8Array(binary));
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** Return what base64url stands for. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const letters = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(letters, (each) => each.charCodeAt(0));
}
