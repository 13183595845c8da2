import { accessStoresContract } from './access-stores.contract';
import { accessTokenStoreContract } from './access-token-store.contract';
import { connectionFeedContract } from './connection-feed.contract';
import { connectionIssueStoreContract } from './connection-issue-store.contract';
import { connectionStoreContract } from './connection-store.contract';
import { connectionUpkeepContract } from './connection-upkeep.contract';
import { databaseContract } from './database.contract';
import { idempotencyStoreContract } from './idempotency-store.contract';
import { installStoreContract } from './install-store.contract';
import { leaseStoreContract } from './lease-store.contract';
import { mappingStoreContract } from './mapping-store.contract';
import { operationStoreContract } from './operation-store.contract';
import { useSharedStorage } from './shared-storage';
import { slackEventStoreContract } from './slack-event-store.contract';
import type { MakeTestDatabase } from './test-database';
import { tokenRotationContract } from './token-rotation.contract';

/** What every engine must do alike: one storage for all its tests, each of which works on a tenant of its own. */
export function storeContract(name: string, makeDatabase: MakeTestDatabase): void {
  describe(name, () => {
    const shared = useSharedStorage(makeDatabase);
    databaseContract(shared);
    accessStoresContract(shared);
    connectionStoreContract(shared);
    connectionIssueStoreContract(shared);
    accessTokenStoreContract(shared);
    idempotencyStoreContract(shared);
    connectionFeedContract(shared);
    connectionUpkeepContract(shared);
    tokenRotationContract(shared);
    installStoreContract(shared);
    leaseStoreContract(shared);
    slackEventStoreContract(shared);
    mappingStoreContract(shared);
    operationStoreContract(shared);
  });
}
