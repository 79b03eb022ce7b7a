import { describe, expect, it } from "vitest";
import type { GroupOut } from "../src/api/types";
import { branch, found, lines, opened, path, treeOf } from "../src/logic/tree";

function group(id: string, kind: GroupOut["kind"], parent: string | null, above: string[] = []): GroupOut {
  return { id, name: `The ${id}`, kind, parent, place: null, above };
}

const GROUPS = [
  group("tx-10", "transformer", "f-1", ["f-1", "sys"]),
  group("tx-2", "transformer", "f-1", ["f-1", "sys"]),
  group("f-1", "feeder", "sys", ["sys"]),
  group("pool", "free", null),
  group("sys", "system", null),
  group("lost", "feeder", "not-told", ["not-told"]),
];
const tree = treeOf(GROUPS);

describe("the tree of groups", () => {
  it("begins with those that have none above, the grid before the free ones", () => {
    expect(lines(tree, new Set()).map(({ group: { id } }) => id)).toEqual(["sys", "lost", "pool"]);
  });

  it("shows what is open, and counts neighbours", () => {
    const shown = lines(tree, new Set(["sys", "f-1"]));
    expect(shown.map(({ group: { id }, level }) => `${level} ${id}`)).toEqual([
      "1 sys",
      "2 f-1",
      "3 tx-2",
      "3 tx-10",
      "1 lost",
      "1 pool",
    ]);
    expect(shown[3]).toMatchObject({ place: 2, of: 2, open: null });
    expect(shown[0]).toMatchObject({ open: true });
  });

  it("finds by id and by name, whatever the case", () => {
    expect(found(tree, "TX").map(({ group: { id } }) => id)).toEqual(["tx-2", "tx-10"]);
    expect(found(tree, "the pool").map(({ group: { id } }) => id)).toEqual(["pool"]);
    expect(found(tree, "nowhere")).toEqual([]);
  });

  it("knows branches and ways", () => {
    expect([...branch(tree, "sys")].sort()).toEqual(["f-1", "sys", "tx-10", "tx-2"]);
    expect([...opened(tree, new Set(), "tx-2")].sort()).toEqual(["f-1", "sys"]);
    expect(path(tree, GROUPS[0] as GroupOut)).toEqual(["The sys", "The f-1", "The tx-10"]);
  });
});
