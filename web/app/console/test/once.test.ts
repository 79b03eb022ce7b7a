import { describe, expect, it } from "vitest";
import { ApiError } from "../src/api/client";
import { naming, untilAnswered } from "../src/api/once";

describe("the name of an order", () => {
  it("stays while the same is asked, and is another one for anything else", () => {
    const name = naming();
    const first = name({ watts: 1 });
    expect(first["Idempotency-Key"]).toMatch(/^[0-9a-f]{32}$/);
    expect(name({ watts: 1 })).toEqual(first);
    const second = name({ watts: 2 });
    expect(second).not.toEqual(first);
    expect(name({ watts: 1 })).not.toEqual(first);
    expect(naming()({ watts: 1 })).not.toEqual(first);
  });

  it("is there for what says nothing", () => {
    const name = naming();
    expect(name(undefined)["Idempotency-Key"]).toHaveLength(32);
    expect(name(undefined)).toEqual(name(undefined));
  });
});

describe("sending until it is answered", () => {
  async function sent(statuses: number[]): Promise<{ outcome: unknown; times: number; waits: number[] }> {
    const waits: number[] = [];
    let times = 0;
    const send = (): Promise<string> => {
      const status = statuses[times++];
      return status === undefined ? Promise.resolve("done") : Promise.reject(new ApiError("no", status));
    };
    const wait = (ms: number): Promise<void> => {
      waits.push(ms);
      return Promise.resolve();
    };
    const outcome = await untilAnswered(send, wait).catch((reason: unknown) => reason);
    return { outcome, times, waits };
  }

  it.each([
    [[], 1],
    [[503], 2],
    [[0, 502, 503, 504], 5],
  ])("goes on after %j", async (statuses, times) => {
    expect(await sent(statuses)).toMatchObject({ outcome: "done", times });
  });

  it("waits longer each time, and ends", async () => {
    const { outcome, times, waits } = await sent([0, 0, 0, 0, 0]);
    expect(outcome).toBeInstanceOf(ApiError);
    expect(times).toBe(5);
    expect(waits).toEqual([1000, 2000, 4000, 8000]);
  });

  it.each([400, 401, 403, 409, 422, 500])("ends at once with %i", async (status) => {
    const { outcome, times } = await sent([status]);
    expect(outcome).toMatchObject({ status });
    expect(times).toBe(1);
  });

  it("does not hide what is wrong in the page itself", async () => {
    const broken = (): Promise<never> => Promise.reject(new TypeError("a fault"));
    await expect(untilAnswered(broken, () => Promise.resolve())).rejects.toThrow("a fault");
  });
});
