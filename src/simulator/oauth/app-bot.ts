import { pacificTimestamp } from '../clock';
import type { Person } from '../world/person';
import { seedPerson } from '../world/seed';
import type { AppContext } from './app-context';

const botName = { givenName: 'Directory', familyName: 'Gateway' };

/**
 * The app's bot in an organization, which comes with the first grant of a bot scope. One for the whole of an Enterprise
 * organization, where Slack has one for each place.
 */
export function appBot({ world, clock }: AppContext, organizationId: string): Person {
  const organization = world.organizations.get(organizationId);
  if (!organization) throw new Error('A bot belongs to an organization');
  const userName = `${botName.givenName}_${botName.familyName}`.toLowerCase();
  const known = organization.personByUserName(userName);
  if (known?.rank === 'bot') return known;
  const id = world.nextId(organization.isEnterprise ? 'W' : 'U');
  const plan = { key: 'app-bot', ...botName, rank: 'bot' as const };
  const bot = seedPerson(organization, plan, id, pacificTimestamp(clock.now()));
  organization.addPerson(bot);
  return bot;
}
