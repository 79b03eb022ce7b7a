/** The groups as a tree: who stands under whom, and which lines are to be seen. Pure. */

import type { GroupOut } from "../api/types";

export interface Tree {
  byId: ReadonlyMap<string, GroupOut>;
  /** By the id of the one above; those with none above under "". */
  under: ReadonlyMap<string, readonly GroupOut[]>;
}

/** A line of the tree as it is shown. */
export interface Line {
  group: GroupOut;
  /** 1 for those with none above. */
  level: number;
  /** null where there is nothing below. */
  open: boolean | null;
  /** Its place among its neighbours, from 1 on, and how many these are. */
  place: number;
  of: number;
}

/** The levels of the grid from the widest to the narrowest; free groups stand beside it. */
const LEVELS = ["system", "subtransmission", "substation", "feeder", "segment", "transformer", "site", "free"];
const MOST_FOUND = 200;

/** Return the groups as a tree; those of one parent by level and name. */
export function treeOf(groups: readonly GroupOut[]): Tree {
  const byId = new Map(groups.map((group) => [group.id, group]));
  const under = new Map<string, GroupOut[]>();
  for (const group of groups) {
    const above = group.parent !== null && byId.has(group.parent) ? group.parent : "";
    const there = under.get(above);
    if (there === undefined) under.set(above, [group]);
    else there.push(group);
  }
  for (const each of under.values()) each.sort(byLevelAndName);
  return { byId, under };
}

function byLevelAndName(a: GroupOut, b: GroupOut): number {
  const level = LEVELS.indexOf(a.kind) - LEVELS.indexOf(b.kind);
  return level || a.name.localeCompare(b.name, undefined, { numeric: true });
}

/** Return the lines to be seen when these groups are open. */
export function lines(tree: Tree, open: ReadonlySet<string>, above = "", level = 1): Line[] {
  const here = tree.under.get(above) ?? [];
  return here.flatMap((group, index) => {
    const below = tree.under.has(group.id);
    const isOpen = below && open.has(group.id);
    const line: Line = { group, level, open: below ? isOpen : null, place: index + 1, of: here.length };
    return isOpen ? [line, ...lines(tree, open, group.id, level + 1)] : [line];
  });
}

/** Return the groups whose name or id has these letters, as flat lines, at most a few hundred. */
export function found(tree: Tree, letters: string): Line[] {
  const wanted = letters.trim().toLocaleLowerCase();
  const hits = [...tree.byId.values()]
    .filter(({ id, name }) => id.toLowerCase().includes(wanted) || name.toLocaleLowerCase().includes(wanted))
    .sort(byLevelAndName)
    .slice(0, MOST_FOUND);
  return hits.map((group, index) => ({ group, level: 1, open: null, place: index + 1, of: hits.length }));
}

/** Return a group with all that stands below it. */
export function branch(tree: Tree, id: string): Set<string> {
  const all = new Set([id]);
  for (const each of all) for (const { id: below } of tree.under.get(each) ?? []) all.add(below);
  return all;
}

/** Return what is open so that a group is to be seen. */
export function opened(tree: Tree, open: ReadonlySet<string>, id: string): Set<string> {
  return new Set([...open, ...(tree.byId.get(id)?.above ?? [])]);
}

/** Return the names of a group and of all above it, the widest first. */
export function path(tree: Tree, group: GroupOut): string[] {
  return [group.id, ...group.above].reverse().map((id) => tree.byId.get(id)?.name ?? id);
}
