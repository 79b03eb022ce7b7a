import { expect, it } from "vitest";
import type { MessageAnswer } from "../src/api/types";
import { toShow } from "../src/logic/messages";

function message(id: string, rest: Partial<MessageAnswer> = {}): MessageAnswer {
  return {
    id,
    program: "Utility",
    text: id,
    urgent: false,
    starts_at: 1000,
    ends_at: 2000,
    acknowledged: false,
    may_acknowledge: false,
    ...rest,
  };
}

it("shows what is to be read now, urgent and new ones first", () => {
  const messages = [
    message("old"),
    message("new", { starts_at: 1200 }),
    message("urgent", { urgent: true, starts_at: 900 }),
    message("read", { acknowledged: true }),
    message("coming", { starts_at: 1501 }),
    message("over", { ends_at: 1500 }),
    message("endless", { ends_at: null, starts_at: 100 }),
  ];
  expect(toShow(messages, 1500).map((m) => m.id)).toEqual(["urgent", "new", "old", "endless"]);
});
