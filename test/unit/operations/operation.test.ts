import fc from 'fast-check';
import {
  countsOf,
  endOf,
  IllegalMove,
  itemMoves,
  itemStatuses,
  movedItem,
  movedOperation,
  type OperationCounts,
  operationMoves,
  operationStatuses,
  recounted,
} from '../../../src/domain/operations/operation';

const sumOf = ({ total: _, ...counts }: OperationCounts) =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

describe('the table of moves', () => {
  it('lets through exactly the moves that it names', () => {
    fc.assert(
      fc.property(fc.constantFrom(...operationStatuses), fc.constantFrom(...operationStatuses), (from, to) => {
        const move = () => movedOperation(from, to);
        if (operationMoves[from].includes(to)) expect(move()).toBe(to);
        else expect(move).toThrow(IllegalMove);
      }),
    );
    fc.assert(
      fc.property(fc.constantFrom(...itemStatuses), fc.constantFrom(...itemStatuses), (from, to) => {
        const move = () => movedItem(from, to);
        if (itemMoves[from].includes(to)) expect(move()).toBe(to);
        else expect(move).toThrow(IllegalMove);
      }),
    );
  });

  it('never lets an item that succeeded be sent again', () => {
    expect(itemMoves.SUCCEEDED).toEqual([]);
    expect(operationMoves.SUCCEEDED).toEqual([]);
  });

  it('leaves no status from which an end cannot be reached', () => {
    const ends = ['SUCCEEDED', 'PARTIALLY_SUCCEEDED', 'FAILED', 'CANCELED'];
    for (const start of operationStatuses)
      expect(reachable(start, operationMoves).some((to) => ends.includes(to))).toBe(true);
    for (const start of itemStatuses) {
      expect(reachable(start, itemMoves).some((to) => ['SUCCEEDED', 'FAILED', 'SKIPPED'].includes(to))).toBe(true);
    }
  });

  it('keeps the counts adding up over any walk of any number of items', () => {
    const steps = fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat()), { maxLength: 60 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), steps, (total, walk) => {
        let counts = countsOf([['PENDING', total]]);
        const held = new Map(itemStatuses.map((status) => [status, status === 'PENDING' ? total : 0]));
        for (const [pick, pickTo, share] of walk) {
          const sources = itemStatuses.filter((status) => (held.get(status) ?? 0) > 0 && itemMoves[status].length > 0);
          const from = sources[pick % sources.length];
          if (!from) break;
          const targets = itemMoves[from];
          const to = targets[pickTo % targets.length];
          if (!to) break;
          const items = share % ((held.get(from) ?? 0) + 1);
          counts = recounted(counts, from, to, items);
          held.set(from, (held.get(from) ?? 0) - items);
          held.set(to, (held.get(to) ?? 0) + items);
        }
        expect(counts).toEqual(countsOf([...held]));
        expect(sumOf(counts)).toBe(counts.total);
      }),
    );
  });

  it('refuses to count a move that there is not', () => {
    expect(() => recounted(countsOf([['SUCCEEDED', 1]]), 'SUCCEEDED', 'PENDING', 1)).toThrow(IllegalMove);
  });

  it('ends well only when nothing failed, and badly only when nothing succeeded', () => {
    expect(endOf(countsOf([['SUCCEEDED', 3]]))).toBe('SUCCEEDED');
    expect(
      endOf(
        countsOf([
          ['SUCCEEDED', 3],
          ['FAILED', 1],
        ]),
      ),
    ).toBe('PARTIALLY_SUCCEEDED');
    expect(endOf(countsOf([['FAILED', 2]]))).toBe('FAILED');
  });
});

function reachable<Status extends string>(start: Status, moves: Readonly<Record<Status, readonly Status[]>>): Status[] {
  const seen = new Set([start]);
  for (const status of seen) for (const next of moves[status]) seen.add(next);
  return [...seen];
}
