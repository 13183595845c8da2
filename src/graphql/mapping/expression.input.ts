import { Field, InputType, Int } from 'type-graphql';
import type { CaseBranch, Condition, DateFormat, Expression, LookupEntry } from '../../domain/mapping/expression';
import { ConditionInput, DateFormatEnum, fieldPath } from './condition.input';

@InputType('JoinInput', { description: 'Several texts one behind the other.' })
export class JoinInput {
  @Field(() => [ExpressionInput], {
    description: 'The texts, at most 50. Those that give nothing are left out, with their separator.',
  })
  readonly parts!: readonly Expression[];

  @Field(() => String, { nullable: true, description: 'What stands between them; nothing when absent.' })
  readonly separator?: string | null;
}

@InputType('CaseBranchInput', { description: 'What is given to whom.' })
export class CaseBranchInput {
  @Field(() => ConditionInput, { description: 'Which records.' })
  readonly when!: Condition;

  @Field(() => ExpressionInput, { description: 'What they get.' })
  readonly value!: Expression;
}

@InputType('CaseInput', { description: 'The value of the first branch whose condition holds.' })
export class CaseInput {
  @Field(() => [CaseBranchInput], { description: 'The branches in the order in which they are tried, at most 100.' })
  readonly branches!: readonly CaseBranch[];

  @Field(() => ExpressionInput, { nullable: true, description: 'For all others; nothing when absent.' })
  readonly otherwise?: Expression | null;
}

@InputType('LookupEntryInput', { description: 'One line of a table.' })
export class LookupEntryInput {
  @Field(() => String, {
    description: 'What is looked up; upper and lower case and surrounding blanks make no difference.',
  })
  readonly key!: string;

  @Field(() => String, { description: 'What is given for it.' })
  readonly value!: string;
}

@InputType('LookupInput', { description: 'What a table says of a text.' })
export class LookupInput {
  @Field(() => ExpressionInput, { description: 'The text to look up.' })
  readonly of!: Expression;

  @Field(() => [LookupEntryInput], { description: 'The table, at most 1,000 lines, each key once.' })
  readonly table!: readonly LookupEntry[];

  @Field(() => ExpressionInput, {
    nullable: true,
    description: 'For what is not in the table, and for records without the text; nothing when absent.',
  })
  readonly otherwise?: Expression | null;
}

@InputType('DateShiftInput', {
  description:
    'Reads a date, moves it, and writes it as ISO 8601. Months come first, to the last day of a shorter month.',
})
export class DateShiftInput {
  @Field(() => ExpressionInput, { description: 'The date.' })
  readonly of!: Expression;

  @Field(() => DateFormatEnum, { nullable: true, description: 'How it is written; ISO when absent.' })
  readonly format?: DateFormat | null;

  @Field(() => Int, { nullable: true, description: 'Days later, or earlier when negative; at most a hundred years.' })
  readonly days?: number | null;

  @Field(() => Int, { nullable: true, description: 'Months later, or earlier when negative; at most a hundred years.' })
  readonly months?: number | null;
}

@InputType('CutInput', { description: 'The beginning of a text.' })
export class CutInput {
  @Field(() => ExpressionInput, { description: 'The text.' })
  readonly of!: Expression;

  @Field(() => Int, { description: 'How many characters of it, 1 to 1,000.' })
  readonly length!: number;
}

@InputType('SplitInput', { description: 'One part of a text.' })
export class SplitInput {
  @Field(() => ExpressionInput, { description: 'The text.' })
  readonly of!: Expression;

  @Field(() => String, { description: 'What stands between its parts.' })
  readonly separator!: string;

  @Field(() => Int, { description: 'Which part: 0 is the first, -1 the last.' })
  readonly index!: number;
}

@InputType('ExpressionInput', {
  description:
    'What fills a field: exactly one of these operations, which nest. An expression gives a text or nothing, and a blank text counts as nothing. Numbers and booleans of a record are read as text.',
})
export class ExpressionInput {
  @Field(() => String, { nullable: true, ...fieldPath })
  readonly field?: string;

  @Field(() => String, { nullable: true, description: 'This text, for everybody.' })
  readonly literal?: string;

  @Field(() => JoinInput, { nullable: true, description: 'Several texts one behind the other.' })
  readonly join?: JoinInput;

  @Field(() => [ExpressionInput], { nullable: true, description: 'The first of these that gives something.' })
  readonly firstNonEmpty?: readonly Expression[];

  @Field(() => CaseInput, { nullable: true, description: 'What the first condition that holds says.' })
  readonly case?: CaseInput;

  @Field(() => LookupInput, { nullable: true, description: 'What a table says of a text.' })
  readonly lookup?: LookupInput;

  @Field(() => ExpressionInput, { nullable: true, description: 'The part of an e-mail address before the `@`.' })
  readonly emailLocalPart?: Expression;

  @Field(() => DateShiftInput, { nullable: true, description: 'A date, read, moved, and written as ISO 8601.' })
  readonly dateShift?: DateShiftInput;

  @Field(() => ExpressionInput, {
    nullable: true,
    description:
      'The text in the letters a to z: marks are taken off, Greek and Cyrillic are spelled out, letters of other scripts are left out.',
  })
  readonly transliterate?: Expression;

  @Field(() => ExpressionInput, { nullable: true, description: 'Without blanks at both ends.' })
  readonly trim?: Expression;

  @Field(() => ExpressionInput, { nullable: true, description: 'In lower case.' })
  readonly lower?: Expression;

  @Field(() => ExpressionInput, { nullable: true, description: 'In upper case.' })
  readonly upper?: Expression;

  @Field(() => CutInput, { nullable: true, description: 'The beginning of a text.' })
  readonly cut?: CutInput;

  @Field(() => SplitInput, { nullable: true, description: 'One part of a text, such as what stands behind a comma.' })
  readonly split?: SplitInput;
}
