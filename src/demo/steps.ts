import type { DemoPayload } from './gateway.client';

/** What the demo does, told a line a step. */
export class Steps {
  /** How many steps did something else than expected. */
  failed = 0;
  #count = 0;

  constructor(private readonly print: (line: string) => void) {}

  expect(step: string, actual: string | undefined, expected: string, detail?: string): void {
    this.#count += 1;
    const isRight = actual === expected;
    if (!isRight) this.failed += 1;
    const said = isRight ? expected : `${actual ?? 'nothing'}, expected ${expected}`;
    this.print(
      `${isRight ? 'ok  ' : 'FAIL'} ${String(this.#count).padStart(2)}  ${step}: ${said}${detail ? ` (${detail})` : ''}`,
    );
  }

  expectProblem(step: string, payload: DemoPayload, code: string): void {
    const [problem] = payload.problems;
    this.expect(step, problem?.code, code);
    if (problem?.remedy) this.print(`          → ${problem.remedy}`);
  }
}
