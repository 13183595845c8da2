import { isFresh, isSignedBy } from '../../../src/http/slack-signature';
import { Secret } from '../../../src/shared/secret';

const secret = new Secret('0123456789abcdef0123456789abcdef');
const timestamp = '1760000000';
const now = 1_760_000_000_000;

/** Computed apart from this code; see the reference of Slack's OAuth, §12.6. */
const vectors: [body: string, signature: string][] = [
  [
    '{"token":"deprecated","challenge":"c0ffee-challenge","type":"url_verification"}',
    'v0=5672931681f9a0d807c042f0056e84c829c5f83d90c9e10da3e1b701ef6aa058',
  ],
  [
    '{"type":"event_callback","team_id":"T0WORK0001","api_app_id":"A0GATEWAY1","event":{"type":"tokens_revoked","tokens":{"oauth":["U0ADMIN001"],"bot":[]}},"event_id":"Ev0REVOKE1","event_time":1760000000}',
    'v0=3550e0a29127d338aa4dfe896efbfb5a8a87b3a17d38ff001e613b39fd69fe70',
  ],
  [
    '{"type":"event_callback","team_id":"T0WORK0001","event":{"type":"app_uninstalled"},"note":"Zoë"}',
    'v0=9a2af0eeabf3a442bc10d9fb41733d7ada696cc13eeabfe77ff1563164e4cecf',
  ],
];

describe('the signature of a request from Slack', () => {
  it.each(vectors)('fits the bytes of %s', (body, signature) => {
    expect(isSignedBy(secret, { timestamp, body: Buffer.from(body), signature })).toBe(true);
  });

  it.each(vectors)('fits no other bytes, time, secret or form than those of %s', (body, signature) => {
    const bytes = Buffer.from(body);
    const flipped = Buffer.from(bytes);
    flipped.writeUInt8(flipped.readUInt8(5) ^ 1, 5);

    const answers = [
      isSignedBy(secret, { timestamp, body: flipped, signature }),
      isSignedBy(secret, { timestamp, body: Buffer.concat([bytes, Buffer.from('\n')]), signature }),
      isSignedBy(secret, { timestamp: '1760000001', body: bytes, signature }),
      isSignedBy(new Secret('1123456789abcdef0123456789abcdef'), { timestamp, body: bytes, signature }),
      isSignedBy(secret, { timestamp, body: bytes, signature: signature.toUpperCase() }),
      isSignedBy(secret, { timestamp, body: bytes, signature: signature.slice(0, -1) }),
      isSignedBy(secret, { timestamp, body: bytes, signature: `${signature}0` }),
      isSignedBy(secret, { timestamp, body: bytes, signature: signature.replace('v0', 'v1') }),
      isSignedBy(secret, { timestamp, body: bytes, signature: '' }),
    ];

    expect(answers).toEqual(answers.map(() => false));
  });

  it.each([
    [0, true],
    [300, true],
    [-300, true],
    [301, false],
    [-301, false],
    [86_400, false],
  ])('is taken %i seconds after it was made: %s', (seconds, isTaken) => {
    expect(isFresh(String(1_760_000_000 - seconds), now)).toBe(isTaken);
  });

  it.each(['', ' 1760000000', '1760000000.5', '-1760000000', '0x68e7', 'NaN', '1760000000000000'])(
    'is not taken with the time %j',
    (text) => {
      expect(isFresh(text, now)).toBe(false);
    },
  );
});
