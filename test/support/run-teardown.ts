import './run-setup';

export default async function endRun(): Promise<void> {
  await globalThis.rollcallTestRun?.postgres?.stop();
  globalThis.rollcallTestRun?.folder?.remove();
}
