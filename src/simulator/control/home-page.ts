import { escapeHtml } from '../page';
import type { Simulator } from '../simulator';
import type { Organization } from '../world/organization';
import { type TokenName, tokenNames, tokenPlans } from '../world/token';

const style = `
  :root { color-scheme: light dark; }
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
  table { border-collapse: collapse; width: 100%; margin: 0 0 2rem; }
  caption { text-align: left; font-weight: 600; padding: 0.5rem 0; }
  th, td { text-align: left; vertical-align: top; padding: 0.4rem 0.6rem; border-bottom: 1px solid #8886; }
  code { font-family: ui-monospace, monospace; font-size: 0.875rem; overflow-wrap: anywhere; }
  code.copy { user-select: all; }
`;

/** The simulator's front page for people: no script, no asset from elsewhere. */
export function homePage(simulator: Simulator): string {
  const { url, world, tokens, app } = simulator;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Slack simulator</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>Slack simulator</h1>
<p>A Slack that runs on this machine alone: the Web API at <code>${escapeHtml(url)}/api/</code> and SCIM 2.0 at
<code>${escapeHtml(url)}/scim/v2/</code>. Nothing here reaches the real Slack, and everything can be reset.</p>
${organizationTable([...world.organizations.values()])}
<table>
<caption>Tokens (a click selects the whole value)</caption>
<thead><tr><th scope="col">Name</th><th scope="col">What it is for</th><th scope="col">Value</th></tr></thead>
<tbody>
${tokenNames.map((name) => tokenRow(name, tokens[name])).join('\n')}
</tbody>
</table>
<table>
<caption>The app, for installing it with OAuth from <code>${escapeHtml(url)}/oauth/v2/authorize</code></caption>
<tbody>
${Object.entries(app).map(appRow).join('\n')}
</tbody>
</table>
<h2>Look inside</h2>
<ul>
<li><a href="/_simulator/state">State</a>: people, groups, tokens, switches, faults and rate limits as JSON</li>
<li><a href="/_simulator/requests">Requests</a>: the last calls, without tokens</li>
<li><a href="/_simulator/events">Events</a>: what was sent to the app's request URL, and how that went</li>
<li><a href="/scim/v2/ServiceProviderConfig">SCIM service provider configuration</a></li>
</ul>
<h2>Start over</h2>
<p><code class="copy">curl -X POST ${escapeHtml(url)}/_simulator/reset</code></p>
</main>
</body>
</html>
`;
}

function organizationTable(organizations: readonly Organization[]): string {
  const rows = organizations.map((organization) => {
    const workspaces = organization.workspaces.map(({ name }) => escapeHtml(name)).join(', ');
    return `<tr><th scope="row">${escapeHtml(organization.name)}</th><td><code>${escapeHtml(organization.id)}</code></td>
<td>${escapeHtml(organization.plan)}</td><td>${workspaces}</td><td>${organization.people.size}</td><td>${organization.groups.size}</td></tr>`;
  });
  return `<table>
<caption>Organizations</caption>
<thead><tr><th scope="col">Name</th><th scope="col">Id</th><th scope="col">Plan</th><th scope="col">Workspaces</th>
<th scope="col">People</th><th scope="col">Groups</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>`;
}

function appRow([name, value]: [string, string]): string {
  return `<tr><th scope="row">${name}</th><td><code class="copy">${value}</code></td></tr>`;
}

function tokenRow(name: TokenName, value: string): string {
  return `<tr><th scope="row">${name}</th><td>${escapeHtml(tokenPlans[name].purpose)}</td><td><code class="copy">${value}</code></td></tr>`;
}
