require('reflect-metadata');
// A gateway of its own that seals anew, and stands still in the middle of a transaction that has written: for a test that
// kills it there. Arguments: the database file, the key file, and in which batch to stand still.
const { ResealService } = require('../../dist/src/domain/keys/reseal.service');
const { systemClock } = require('../../dist/src/shared/clock');
const { silentLogger } = require('../../dist/src/shared/logger');
const { KeyFile } = require('../../dist/src/storage/key-file');
const { openStorage } = require('../../dist/src/storage/open-storage');

const [, , file, keyFile, stopIn] = process.argv;

async function main() {
  const means = { clock: systemClock, logger: silentLogger };
  const storage = await openStorage({ database: { kind: 'sqlite', file }, keys: new KeyFile(keyFile), ...means });
  let batches = 0;
  const database = {
    read: (work) => storage.database.read(work),
    transaction: (work) =>
      storage.database.transaction(async (stores) => {
        const result = await work(stores);
        batches += 1;
        if (batches === Number(stopIn)) {
          process.send('in the middle');
          await new Promise(() => {});
        }
        return result;
      }),
  };
  await new ResealService({ database, ring: storage.keys, ...means }).run();
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
});
