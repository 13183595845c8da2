import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { Secret } from '../../shared/secret';
import type { TenantId } from '../access/access';
import type { ConnectionId } from '../connections/connection';

const SECRET_BYTES = 32;
/** 256 bits in base64url without padding: nothing in it needs quoting in an address or a cookie. */
const secretForm = /^[A-Za-z0-9_-]{43}$/;

/** For the address of an install, an OAuth state, or a browser's cookie. */
export function newSecret(): Secret {
  return new Secret(randomBytes(SECRET_BYTES).toString('base64url'));
}

/** @returns undefined when the text cannot be a secret of `newSecret`. */
export function parseSecret(text: unknown): Secret | undefined {
  return typeof text === 'string' && secretForm.test(text) ? new Secret(text) : undefined;
}

/** What is stored of a secret. It has 256 random bits, so one round of SHA-256 is enough: there is nothing to guess. */
export function hashOfSecret(secret: Secret): Buffer {
  return createHash('sha256').update(secret.reveal()).digest();
}

export function isHashOf(hash: Buffer, secret: Secret | undefined): boolean {
  return secret !== undefined && timingSafeEqual(hash, hashOfSecret(secret));
}

/** Where people and Slack reach this gateway. */
export interface Addresses {
  /** Without a slash at the end. Known once the server listens, and asked for at each use. */
  publicUrl(): string;
}

export function installUrl({ publicUrl }: Addresses, secret: Secret): Secret {
  return new Secret(`${publicUrl()}/install/${secret.reveal()}`);
}

export function connectUrl({ publicUrl }: Addresses, secret: Secret): Secret {
  return new Secret(`${publicUrl()}/connect/${secret.reveal()}`);
}

const MS_PER_DAY = 86_400_000;
/** A link lives for at least so many days; rounding up to a day's end adds less than one. */
const RECONNECT_DAYS = 7;
/** Ids are a prefix, `_`, and 128 random bits; the prefixes are left out so that an address stays short. */
const signedForm = /^([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{22})\.(\d{5,6})\.([A-Za-z0-9_-]{43})$/;

export interface ReconnectTarget {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
}

/**
 * Addresses that repair one connection. Nothing is stored for them: they are signed, and say until when they are valid.
 * For a day the same connection gets the same address, so that it can be shown wherever an issue is.
 */
export class ReconnectLinks {
  constructor(
    private readonly addresses: Addresses,
    /** Newest first: the first signs, all of them verify. */
    private readonly keys: () => readonly string[],
  ) {}

  /** @param now milliseconds since the epoch */
  urlFor({ tenantId, connectionId }: ReconnectTarget, now: number): string {
    const lastDay = Math.ceil(now / MS_PER_DAY) + RECONNECT_DAYS;
    const text = `${withoutPrefix(tenantId)}.${withoutPrefix(connectionId)}.${lastDay}`;
    const [key] = this.keys();
    if (key === undefined) throw new Error('There is no key to sign a link with');
    return `${this.addresses.publicUrl()}/reconnect/${text}.${signatureOf(text, key).toString('base64url')}`;
  }

  /**
   * @param signed the last part of the address
   * @param now milliseconds since the epoch
   * @returns undefined when this gateway has not signed it
   */
  open(signed: string, now: number): (ReconnectTarget & { readonly isExpired: boolean }) | undefined {
    const [, tenant, connection, lastDay, signature] = signedForm.exec(signed) ?? [];
    if (tenant === undefined || connection === undefined || lastDay === undefined || signature === undefined) {
      return undefined;
    }
    const given = Buffer.from(signature, 'base64url');
    const text = `${tenant}.${connection}.${lastDay}`;
    // Every key is tried, so that the answer takes as long for each.
    const fitting = this.keys().filter((key) => timingSafeEqual(given, signatureOf(text, key)));
    if (fitting.length === 0) return undefined;
    return {
      tenantId: `ten_${tenant}` as TenantId,
      connectionId: `con_${connection}` as ConnectionId,
      isExpired: now >= Number(lastDay) * MS_PER_DAY,
    };
  }
}

function signatureOf(text: string, key: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function withoutPrefix(id: string): string {
  return id.slice(id.indexOf('_') + 1);
}
