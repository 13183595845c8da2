export interface RequestRecord {
  readonly method: string;
  readonly path: string;
  /** Without the question mark; anything that looks like a token is blanked. */
  readonly query: string;
  /** Null while the call runs, and for good when no answer was sent. */
  status: number | null;
  /** Null when no known token was presented. The token itself is never kept. */
  readonly tokenName: string | null;
  /** True when a write was carried out. */
  isApplied: boolean;
  /** Kind of the fault that spoiled the call. */
  readonly fault: string | null;
  /** Milliseconds since the epoch, on the simulator's clock. */
  readonly at: number;
}

const longestLog = 10_000;

/** The last calls, oldest first. */
export class RequestLog {
  readonly records: RequestRecord[] = [];

  begin(record: RequestRecord): RequestRecord {
    const clean = { ...record, path: blank(record.path), query: blank(record.query) };
    this.records.push(clean);
    if (this.records.length > longestLog) this.records.splice(0, this.records.length - longestLog);
    return clean;
  }

  clear(): void {
    this.records.length = 0;
  }
}

const secretParameter = /(^|&)((?:token|code|state|client_secret|refresh_token|code_verifier)=)[^&]*/g;

function blank(text: string): string {
  return text.replace(/xox[a-z][A-Za-z0-9.-]{8,}/g, '[token]').replace(secretParameter, '$1$2[token]');
}
