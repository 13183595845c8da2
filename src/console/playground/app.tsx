import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import { useMemo, useRef, useState } from 'react';
import { createWorkspaceStorage } from './browser-storage';
import { EditorSettings } from './editor-settings';
import { examples } from './examples';
import { examplesPlugin } from './examples-panel';
import { createFetcher } from './fetcher';
import { KeyBar } from './key-bar';
import { useKeySession } from './key-session';

const plugins = [examplesPlugin, HISTORY_PLUGIN];
const storage = createWorkspaceStorage();
const tabs = examples.map(({ query, variables }) => ({ query, variables }));

export function App() {
  const { key, setKey, state } = useKeySession();
  const [schemaNotice, setSchemaNotice] = useState<string>();
  const keyRef = useRef(key);
  keyRef.current = key;

  // GraphiQL reads the schema again whenever it is given another fetcher: exactly when another key has been accepted.
  const acceptedKey = state.phase === 'accepted' ? state.key : undefined;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the accepted key stands for "ask again", see above.
  const fetcher = useMemo(
    () => createFetcher({ currentKey: () => keyRef.current, onSchemaNotice: setSchemaNotice }),
    [acceptedKey],
  );

  return (
    <>
      <KeyBar
        apiKey={key}
        onKeyChange={setKey}
        state={state}
        schemaNotice={acceptedKey === undefined ? undefined : schemaNotice}
      />
      <main className="workspace">
        <GraphiQL
          fetcher={fetcher}
          schema={acceptedKey === undefined ? null : undefined}
          defaultTabs={tabs}
          plugins={plugins}
          storage={storage}
          shouldPersistHeaders={false}
          isHeadersEditorEnabled={false}
          defaultEditorToolsVisibility="variables"
        >
          <GraphiQL.Logo>
            <EditorSettings />
          </GraphiQL.Logo>
        </GraphiQL>
      </main>
    </>
  );
}
