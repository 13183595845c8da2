const { basename } = require('node:path');
const { default: Sequencer } = require('@jest/test-sequencer');

/** From some ten seconds on; of the others Jest knows the last duration, and the size where there was no last time. */
const longest = [
  'faults.postgres',
  'faults.sqlite',
  'storage-faults.postgres',
  'playground',
  'faults',
  'build',
  'refresh-crash',
  'refresh-replicas',
  'groups-faults',
  'faults-storm',
  'server',
  'tenants',
  'postgres-faults',
  'sealed-tokens',
  'connect-pages-browser',
  'bulk-crash',
  'connection-checks',
  'idempotency-crash',
  'concurrency',
  'server-stop',
  'key-rotation',
  'custody',
];

/** A long file that starts last keeps one worker busy while the others have nothing left; Jest knows that only from a last time. */
module.exports = class LongestFirstSequencer extends Sequencer {
  sort(tests) {
    return super.sort(tests).sort((one, other) => place(one) - place(other));
  }
};

function place({ path }) {
  const index = longest.indexOf(basename(path, '.test.ts'));
  return index < 0 ? longest.length : index;
}
