/** Edits beyond which a name is another word, not a slip. */
const MAX_EDITS = 3;

/** Of these names the one that `name` was most likely meant to be; undefined if none is near (a third of its letters). */
export function nearestName(name: string, names: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let fewest = Math.min(MAX_EDITS, Math.floor(name.length / 3)) + 1;
  for (const candidate of names) {
    const edits = editsBetween(name, candidate, fewest);
    if (edits >= fewest) continue;
    fewest = edits;
    nearest = candidate;
  }
  return nearest;
}

/**
 * Edits that turn one word into the other, where swapping two neighbours is one (optimal string alignment), or `limit` if
 * it is that or more: most pairs are given up after a few rows.
 */
function editsBetween(from: string, to: string, limit: number): number {
  if (Math.abs(from.length - to.length) >= limit) return limit;
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[row - 1] === to[column - 1];
      const replaced = at(last, column - 1) + (isSame ? 0 : 1);
      const swapped = isSwapped(from, row, to, column) ? at(beforeLast, column - 2) + 1 : limit;
      current.push(Math.min(at(last, column) + 1, at(current, column - 1) + 1, replaced, swapped));
    }
    // A swap reaches over one row.
    if (Math.min(...last, ...current) >= limit) return limit;
    [beforeLast, last] = [last, current];
  }
  return at(last, to.length);
}

/** Do both words end, so far, with the same two letters the other way round? */
function isSwapped(from: string, row: number, to: string, column: number): boolean {
  return row > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? 0;
}
