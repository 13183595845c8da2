import type { ConnectionEnvironment } from '../../domain/connections/connection';
import { tokenAppManifest } from '../app-manifest';
import { type Html, html } from './html';

/** Where a Slack app is made. The sandbox has no such pages: its tokens are listed on its own. */
const appPages: Partial<Record<ConnectionEnvironment, string>> = {
  LIVE: 'https://api.slack.com/apps',
  GOV: 'https://api.slack-gov.com/apps',
};

/** How to come by a token, with the names that Slack's own pages have. */
export function tokenSteps(environment: ConnectionEnvironment): Html {
  const pages = appPages[environment];
  if (pages === undefined) {
    return html`<p>This is the sandbox, a simulated Slack for trying things out. Its tokens are listed on the sandbox's own page.</p>`;
  }
  const link = `${pages}?new_app=1&manifest_json=${encodeURIComponent(JSON.stringify(tokenAppManifest()))}`;
  return html`<p>You make a small Slack app that belongs to you, install it, and copy its token. It takes about five minutes.</p>
<ol>
<li><a href="${link}" target="_blank" rel="noreferrer">Create the app in Slack</a> (opens a new tab). Its settings are filled in:
choose a workspace, then <b>Next</b> and <b>Create</b>.</li>
<li>Open <b>Install App</b> in the menu on the left, and install the app:
<ul>
<li>For a <strong>workspace</strong> on the Business+ plan, as an Owner or Admin: <b>Install to Workspace</b>.</li>
<li>For an <strong>Enterprise organization</strong>, as an Org Owner: <b>Install to Organization</b>. If Slack shows a menu at
the top right, choose the organization in it and not a workspace.</li>
</ul>
Then choose <b>Allow</b>.</li>
<li>Open <b>OAuth &amp; Permissions</b>, and copy the <b>User OAuth Token</b>. It begins with <code>xoxp-</code>. (The
<b>Bot User OAuth Token</b> is another one and does not work.)</li>
<li>Paste it below.</li>
</ol>`;
}
