import { escapeHtml, htmlPage } from '../page';
import type { Person } from '../world/person';
import type { AppContext } from './app-context';
import { type AuthorizeRefusal, type AuthorizeRequest } from './authorize-request';
import type { Installer } from './install-rules';
import { placesOf } from './place';

const rankNames: Record<Person['rank'], string> = {
  'primary-owner': 'Primary Owner',
  owner: 'Owner',
  admin: 'Admin',
  member: 'Member',
  bot: 'Bot',
};

/** Stands for Slack's sign-in: everybody who could sign in is a link to the consent page. */
export function peoplePage({ world, app }: AppContext, query: URLSearchParams): string {
  const sections = [...world.organizations.values()].map((organization) => {
    const people = [...organization.people.values()].filter(({ active, rank }) => active && rank !== 'bot');
    const items = people.map((person) => {
      const target = new URLSearchParams(query);
      target.set('person', person.id);
      const rank = person.guest ? 'Guest' : rankNames[person.rank];
      return `<li><a href="?${escapeHtml(target.toString())}">${escapeHtml(nameOf(person))}</a>, ${rank}</li>`;
    });
    return `<h2>${escapeHtml(organization.name)}</h2>\n<ul>\n${items.join('\n')}\n</ul>`;
  });
  const intro = `<p>Choose who you are. ${escapeHtml(app.name)} will ask for permission next.</p>`;
  return htmlPage('Sign in to Slack (simulator)', `${intro}\n${sections.join('\n')}`);
}

export interface Consent {
  readonly request: AuthorizeRequest;
  readonly installer: Installer;
  /** User scopes that the person would give. */
  readonly userScopes: readonly string[];
}

/** Where to install, what the app asks for, and the decision. */
export function consentPage(context: AppContext, query: URLSearchParams, consent: Consent): string {
  const { app, switches } = context;
  const { request, installer, userScopes } = consent;
  const others = new URLSearchParams(query);
  others.delete('person');
  const allow = switches.approvalRequired ? 'Request to install' : 'Allow';
  const content = `<p>You are <strong>${escapeHtml(nameOf(installer.person))}</strong> of
${escapeHtml(installer.organization.name)}. <a href="?${escapeHtml(others.toString())}">Not you?</a></p>
${switches.approvalRequired ? '<p>An administrator must approve this app before it can be installed.</p>' : ''}
<form method="post" action="?${escapeHtml(query.toString())}">
<label for="place">Where to install</label>
<select id="place" name="place">
${placeOptions(context, consent)}
</select>
${scopeList('On your behalf, the app will be able to use', userScopes)}
${scopeList("The app's bot will be able to use", request.botScopes)}
<p>Then you go back to <code>${escapeHtml(new URL(request.redirectUri).origin)}</code>.</p>
<p><button type="submit" name="decision" value="allow">${allow}</button>
<button type="submit" name="decision" value="cancel">Cancel</button></p>
</form>`;
  return htmlPage(`${app.name} is requesting permission to access Slack`, content);
}

export function waitingPage({ app }: AppContext): string {
  const text = `<p>An administrator was asked to approve ${escapeHtml(app.name)}. Once that is done, install the app again.</p>`;
  return htmlPage('Your request was sent', text);
}

export function refusalPage({ code, explanation }: AuthorizeRefusal): string {
  const text = `<p>${escapeHtml(explanation)}</p>\n<p>Error: <code>${escapeHtml(code)}</code></p>`;
  return htmlPage('Something went wrong when authorizing this app', text);
}

/** Workspaces come first, as in Slack's menu, so that whoever only clicks Allow gets no organization install. */
function placeOptions({ switches }: AppContext, { request, installer: { organization } }: Consent): string {
  const places = placesOf(organization).filter(
    ({ id }) => switches.orgDeploy || id !== organization.id || !organization.isEnterprise,
  );
  const options = places.map(({ id, name }) => {
    const kind = organization.isEnterprise && id === organization.id ? 'organization' : 'workspace';
    const selected = id === request.teamId ? ' selected' : '';
    return `<option value="${escapeHtml(id)}"${selected}>${escapeHtml(name)} (${kind})</option>`;
  });
  return options.join('\n');
}

function scopeList(heading: string, scopes: readonly string[]): string {
  if (scopes.length === 0) return '';
  const items = scopes.map((scope) => `<li><code>${escapeHtml(scope)}</code></li>`);
  return `<h2>${heading}</h2>\n<ul>\n${items.join('\n')}\n</ul>`;
}

function nameOf({ givenName, familyName }: Person): string {
  return `${givenName} ${familyName}`.trim();
}
