/** One request as the Web API and SCIM handlers see it, free of sockets. */
export interface Call {
  readonly method: string;
  /** As it was sent, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
  /** Set by a `lyingList` fault. */
  lies: ListLies | null;
}

/** How a list lies: see `lyingList` in the fault list. */
export interface ListLies {
  readonly repeatsFirstPage: boolean;
  readonly changesTotals: boolean;
  readonly showsPersonTwice: boolean;
  /** Rises with each lying answer, so that totals change from page to page. */
  readonly turn: number;
}

/** One response, before faults have their way with it. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON, a string as HTML; undefined sends no body. */
  readonly body?: object | string;
}

const bearer = /^Bearer (\S+)$/;

/** The token of an Authorization header; the scheme's letter case counts (OAuth §5, documented). */
export function bearerToken(call: Call): string | undefined {
  return bearer.exec(call.headers.authorization ?? '')?.[1];
}
