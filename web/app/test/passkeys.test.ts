import { expect, it } from "vitest";
import { bytesOf, textOf } from "../src/logic/passkeys";
import { deedKey } from "../src/logic/people";

it("writes binary as the hub reads it, and reads it back", () => {
  for (let length = 0; length < 40; length += 1) {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 61 + 250) % 256);
    const text = textOf(bytes.buffer);
    expect(text).toMatch(/^[A-Za-z0-9_-]*$/);
    expect([...bytesOf(text)]).toEqual([...bytes]);
  }
  expect(textOf(Uint8Array.from([251, 255, 254]).buffer)).toBe("-__-");
});

it("has words for what is done about proofs and consents", () => {
  expect(deedKey("POST /api/login/passkey")).toBe("login");
  expect(deedKey("PUT /api/me/app")).toBe("factor");
  expect(deedKey("DELETE /api/me/passkeys/{passkey}")).toBe("factor");
  expect(deedKey("PUT /api/people/rules")).toBe("rules");
  expect(deedKey("POST /api/people/{person}/recover")).toBe("recover");
  expect(deedKey("POST /api/people")).toBe("addPerson");
  expect(deedKey("DELETE /api/consents/{consent}")).toBe("endConsent");
});
