/** Waits for something that certainly comes, looking again whenever sockets had a chance to move. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
