import { fork } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { KeyFile } from '../../src/storage/key-file';
import { openAll, secretsOf, storeRotatingTokens } from '../support/key-rotation.contract';
import { custodyOf, keyUse, resealerOf } from '../support/sealing-keys';
import { sqliteFileDatabase } from '../support/test-database';

describe('a process that is killed while it seals anew', () => {
  it('leaves every token usable, and the next one finishes the work', async () => {
    const database = await sqliteFileDatabase();
    const keyFile = join(dirname(database.file), 'sealing.key');
    const open = () => database.open({ keys: new KeyFile(keyFile) });
    const before = await open();
    const tokens = await storeRotatingTokens(before.database, 120);
    await custodyOf(before).rotate();
    await before.close();

    for (const [killedIn, left] of [
      [1, 240],
      [2, 140],
    ] as const) {
      const child = fork(join(__dirname, '../support/reseal-process.cjs'), [database.file, keyFile, String(killedIn)]);
      await Promise.race([
        once(child, 'message'),
        once(child, 'exit').then(() => Promise.reject(new Error('It ended'))),
      ]);
      child.kill('SIGKILL');
      await once(child, 'exit');

      const storage = await open();
      expect(await keyUse(storage)).toEqual([240 - left, left]);
      expect(await openAll(storage.database, tokens)).toEqual(tokens.map(secretsOf));
      await storage.close();
    }
    const storage = await open();
    expect(await resealerOf(storage).run()).toBe('DONE');
    expect(await keyUse(storage)).toEqual([240, 0]);
    expect(await openAll(storage.database, tokens)).toEqual(tokens.map(secretsOf));
    await storage.close();
    await database.drop();
  });
});
