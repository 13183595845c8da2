import './postgres-setup';

export default async function stopPostgres(): Promise<void> {
  await globalThis.rollcallTestPostgres?.stop();
}
