/**
 * Works on the items in their order, no more than `most` of them at a time.
 * @param work must not reject: what can fail says so in its own way, and the others go on.
 */
export async function aFewAtATime<Item>(
  items: Iterable<Item>,
  most: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const waiting = [...items];
  const workers = Array.from({ length: Math.min(most, waiting.length) }, async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  });
  await Promise.all(workers);
}
