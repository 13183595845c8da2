import { useId, useState } from 'react';
import type { KeyState } from './key-session';
import markUrl from './mark.svg';

export interface KeyBarProps {
  apiKey: string;
  onKeyChange: (entered: string) => void;
  state: KeyState;
  /** A sentence when the schema cannot be shown, though the key works. */
  schemaNotice: string | undefined;
}

/** The bar on top: who this is, the key for every request, and what the gateway makes of it. */
export function KeyBar({ apiKey, onKeyChange, state, schemaNotice }: KeyBarProps) {
  const inputId = useId();
  const statusId = useId();
  const [isShown, setShown] = useState(false);

  return (
    <header className="bar">
      <h1 className="bar-title">
        <img src={markUrl} alt="" width="24" height="24" />
        Rollcall <span>playground</span>
      </h1>
      <form className="bar-key" autoComplete="off" onSubmit={(event) => event.preventDefault()}>
        <label htmlFor={inputId}>API key</label>
        <div className="bar-field">
          <input
            id={inputId}
            type={isShown ? 'text' : 'password'}
            value={apiKey}
            onChange={(event) => onKeyChange(event.target.value)}
            aria-describedby={statusId}
            aria-invalid={state.phase === 'refused'}
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
          />
          <button type="button" aria-pressed={isShown} aria-label="Show the API key" onClick={() => setShown(!isShown)}>
            {isShown ? 'Hide' : 'Show'}
          </button>
        </div>
      </form>
      <div className="bar-status" id={statusId} role="status" data-phase={state.phase}>
        <Status state={state} />
        {schemaNotice !== undefined && <p className="bar-notice">{schemaNotice}</p>}
      </div>
    </header>
  );
}

function Status({ state }: { state: KeyState }) {
  switch (state.phase) {
    case 'empty':
      return <p>Paste an API key to begin. A new server prints its first one when it starts.</p>;
    case 'checking':
      return <p>Checking the key…</p>;
    case 'refused':
      return <p>{state.message}</p>;
    case 'accepted':
      return (
        <p>
          <strong className="bar-viewer">{state.viewer.name}</strong> of {state.viewer.tenantName}
          <span className="bar-permissions">
            {state.viewer.permissions.map((permission) => (
              <code key={permission}>{permission}</code>
            ))}
          </span>
        </p>
      );
  }
}
