import type { TenantId } from './access/access';
import type { ConnectionEnvironment, ConnectionId } from './connections/connection';
import type {
  AttemptOutcome,
  Install,
  InstallAttempt,
  InstallAttemptId,
  InstallId,
  InstallProblem,
  StoredInstall,
} from './installs/install';

export interface InstallStore {
  insert(install: StoredInstall): Promise<void>;
  find(tenantId: TenantId, id: InstallId): Promise<Install | undefined>;
  /** Whoever's tenant it belongs to: the secret is what gives access. @param secretHash 32 bytes */
  findBySecret(secretHash: Buffer): Promise<StoredInstall | undefined>;
  /** For an attempt that has proved itself by its state and its browser. */
  findOwner(attempt: InstallAttempt): Promise<Install | undefined>;
  /** Where it is not completed yet. @returns false when it was, or is gone. */
  complete(id: InstallId, connectionId: ConnectionId, at: Date): Promise<boolean>;
  recordProblem(id: InstallId, problem: InstallProblem): Promise<void>;
  insertAttempt(attempt: InstallAttempt): Promise<void>;
  /** @param stateHash 32 bytes */
  findAttempt(stateHash: Buffer): Promise<InstallAttempt | undefined>;
  findAttemptById(id: InstallAttemptId): Promise<InstallAttempt | undefined>;
  /** In one statement, so that of two callbacks with the same state one gets true. */
  consumeAttempt(id: InstallAttemptId, at: Date): Promise<boolean>;
  finishAttempt(
    id: InstallAttemptId,
    result: { outcome: AttemptOutcome; problem?: InstallProblem; at: Date },
  ): Promise<void>;
  /** Removes installs whose expiresAt is before `before`, with their attempts; at most `limit` of them. @returns how many. */
  deleteExpired(before: Date, limit: number): Promise<number>;
}

/**
 * Named leases: who has one works alone, over all replicas. Time is the database's own, so that processes whose clocks
 * disagree cannot both hold one.
 */
export interface LeaseStore {
  /** Takes a lease that is free, has ended, or is the owner's already. @returns false when somebody else holds it. */
  acquire(name: string, owner: string, forMs: number): Promise<boolean>;
  /**
   * The fence: locks the lease's row until the end of the transaction, so that what is written in it is written by the owner.
   * @returns false when the lease has gone to somebody else.
   */
  confirm(name: string, owner: string): Promise<boolean>;
  release(name: string, owner: string): Promise<void>;
  /** Removes leases that ended so long ago that nobody counts on them, at most `limit` of them. @returns how many. */
  deleteEnded(limit: number): Promise<number>;
  /** The database's clock, for leases that are kept elsewhere. */
  now(): Promise<Date>;
}

/** The part of one of Slack's lifecycle events that is acted on. No token, no text of a message is ever in it. */
export interface SlackEvent {
  /** Slack's event_id, unique over all apps. */
  readonly id: string;
  readonly environment: ConnectionEnvironment;
  readonly type: string;
  /** The workspace (T…) and the organization (E…) of the envelope, whichever are there. */
  readonly teamSlackId?: string;
  readonly organizationSlackId?: string;
  /** `tokens.oauth`: the people whose user tokens ended. */
  readonly userSlackIds: readonly string[];
  /** Slack's event_time, in whole seconds. */
  readonly occurredAt: Date;
  readonly receivedAt: Date;
}

export interface SlackEventStore {
  /** @returns false when the event is known already. */
  insert(event: SlackEvent): Promise<boolean>;
  /** Not handled yet, oldest first. */
  listPending(limit: number): Promise<SlackEvent[]>;
  markHandled(id: string, at: Date): Promise<void>;
  /** Removes handled events received before `before`, at most `limit` of them. @returns how many. */
  deleteHandledBefore(before: Date, limit: number): Promise<number>;
}

/** Something about a connection was committed, here or on another replica. `undefined`: some may have been missed. */
export type ConnectionChange = { readonly tenantId: TenantId; readonly connectionId: ConnectionId } | undefined;

export interface ConnectionFeed {
  /** @returns a function that ends the subscription. */
  subscribe(listener: (change: ConnectionChange) => void): () => void;
}
