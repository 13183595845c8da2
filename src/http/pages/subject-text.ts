import type { Subject } from '../../domain/installs/install-door';
import { type Html, html } from './html';

/** Who asks. The name of the tenant that runs the gateway says nothing to others, so its address stands for it. */
export function partnerOf({ partner }: Pick<Subject, 'partner'>, host: string): string {
  return partner ?? host;
}

export function titleOf(subject: Subject, host: string): string {
  return subject.issues.length > 0
    ? `Reconnect Slack to ${partnerOf(subject, host)}`
    : `Connect Slack to ${partnerOf(subject, host)}`;
}

/** What is asked of the person, and what for. */
export function introduction(subject: Subject, host: string): Html {
  const { name, environment, returnUrl } = subject;
  const partner = partnerOf(subject, host);
  const ask = subject.issues.length > 0 ? 'reconnect' : 'connect';
  return html`<p><strong>${partner}</strong> asks you to ${ask} your company's Slack, so that it can add people to Slack, keep
their profiles up to date, and deactivate them when they leave.</p>
<dl>
<dt>Connection</dt><dd>${name}</dd>
${environment === 'GOV' && html`<dt>Slack</dt><dd>GovSlack</dd>`}
${environment === 'SANDBOX' && html`<dt>Slack</dt><dd>Sandbox: a simulated Slack, nothing real is changed</dd>`}
${returnUrl !== undefined && html`<dt>Afterwards</dt><dd>you go back to ${new URL(returnUrl).host}</dd>`}
</dl>
${subject.issues.length > 0 && issuesOf(subject)}`;
}

function issuesOf({ issues }: Subject): Html {
  return html`<div class="problem">
<p><strong>The connection has stopped working.</strong></p>
${issues.map(({ message }) => html`<p>${message}</p>`)}
<p>Installing the app again repairs it. Use the same workspace or organization as before.</p>
</div>`;
}
