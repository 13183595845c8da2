import { Cooldown } from '../../../src/shared/cooldown';
import { FakeClock } from '../../support/fake-clock';

describe('a cool-down', () => {
  const clock = new FakeClock();
  const cooldown = new Cooldown<string>(clock);
  beforeEach(() => cooldown.end('team'));

  it('gives the reason until its time is over', () => {
    cooldown.begin('team', 5_000, 'refused');
    clock.jump(4_999);
    expect(cooldown.find('team')).toBe('refused');
    expect(cooldown.find('another')).toBeUndefined();
    clock.jump(1);
    expect(cooldown.find('team')).toBeUndefined();
  });

  it('ends early when what was wanted has succeeded, and when the clock is set back', () => {
    cooldown.begin('team', 5_000, 'refused');
    cooldown.end('team');
    expect(cooldown.find('team')).toBeUndefined();
    cooldown.begin('team', 5_000, 'refused');
    clock.jump(-86_400_000);
    expect(cooldown.find('team')).toBeUndefined();
  });
});
