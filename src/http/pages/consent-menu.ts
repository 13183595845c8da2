import type { InstallLevel } from '../../domain/connections/connection';
import { type Html, html } from './html';

/** A drawing of the menu on Slack's consent page, since nothing but that menu decides what an app is installed on. */
export function consentMenu(level: InstallLevel): Html {
  const [caption, picked] =
    level === 'ORGANIZATION'
      ? [
          "The menu at the top right of Slack's page. It opens with a workspace chosen: change it to the organization, which has the name of the whole company.",
          2,
        ]
      : ["The menu at the top right of Slack's page. Choose the workspace that is to be connected.", 0];
  const places = ['Your workspace', 'Another workspace', 'Your organization'];
  const items = places.map((place, index) =>
    index === picked ? html`<li class="pick">✓ ${place}: choose this</li>\n` : html`<li>${place}</li>\n`,
  );
  return html`<figure>
<div class="menu" aria-hidden="true">
<div class="bar"><span>slack</span><b>${places[picked]} ▾</b></div>
<ul>
${items}</ul>
</div>
<figcaption>${caption}</figcaption>
</figure>`;
}

/** Who may install, in Slack's own words (OAuth §11). */
export function whoMayInstall(level: InstallLevel): Html {
  return level === 'ORGANIZATION'
    ? html`<p>Only an <strong>Org Owner</strong> can do this. If you are not one, pass the link that you were given on
to one.</p>`
    : html`<p>An <strong>Owner or Admin</strong> of the workspace can do this, on the Business+ plan.</p>`;
}
