import { Field, InputType, registerEnumType } from 'type-graphql';
import { type Condition, type DateFormat, dateFormats } from '../../domain/mapping/expression';
import { enumOf } from '../enums';

export const DateFormatEnum = enumOf(dateFormats);

registerEnumType(DateFormatEnum, {
  name: 'DateFormat',
  description: 'How a date is written.',
  valuesConfig: {
    ISO: { description: '`2027-01-31`, or with time and zone `2027-01-31T09:00:00+01:00`.' },
    DAY_MONTH_YEAR: { description: '`31.01.2027`, `31/1/2027` or `31-01-2027`.' },
    MONTH_DAY_YEAR: { description: '`01/31/2027`, `1.31.2027` or `01-31-2027`.' },
  },
});

export const fieldPath = {
  description:
    'Path of an attribute in the record: `department`, `work.address.city`, `emails.0.value`. A name that contains dots itself is found, too.',
};

@InputType('TextComparisonInput', { description: 'An attribute of the record, and a text.' })
export class TextComparisonInput {
  @Field(() => String, fieldPath)
  readonly field!: string;

  @Field(() => String, { description: 'The text; upper and lower case and surrounding blanks make no difference.' })
  readonly value!: string;
}

@InputType('ListComparisonInput', { description: 'An attribute of the record, and the texts that it may be.' })
export class ListComparisonInput {
  @Field(() => String, fieldPath)
  readonly field!: string;

  @Field(() => [String], { description: 'The texts, at most 500, compared as `equals` does.' })
  readonly values!: readonly string[];
}

@InputType('DateComparisonInput', { description: 'An attribute of the record, and a date.' })
export class DateComparisonInput {
  @Field(() => String, fieldPath)
  readonly field!: string;

  @Field(() => String, {
    description: 'A day as `2027-01-31`, which begins at midnight UTC, or an instant as `2027-01-31T09:00:00Z`.',
  })
  readonly date!: string;

  @Field(() => DateFormatEnum, { nullable: true, description: 'How the record writes its date; ISO when absent.' })
  readonly format?: DateFormat | null;
}

@InputType('ExistsInput', { description: 'An attribute of the record.' })
export class ExistsInput {
  @Field(() => String, fieldPath)
  readonly field!: string;
}

@InputType('ConditionInput', {
  description:
    'Something that a record fulfils or not: one comparison, or several put together. An attribute that is a list fulfils a comparison when one of its entries does. An attribute that is missing fulfils none but `notEquals`.',
})
export class ConditionInput {
  @Field(() => [ConditionInput], { nullable: true, description: 'Every one of these holds.' })
  readonly all?: readonly Condition[];

  @Field(() => [ConditionInput], { nullable: true, description: 'At least one of these holds.' })
  readonly any?: readonly Condition[];

  @Field(() => ConditionInput, { nullable: true, description: 'This does not hold.' })
  readonly not?: Condition;

  @Field(() => TextComparisonInput, { nullable: true, description: 'The attribute is the text.' })
  readonly equals?: TextComparisonInput;

  @Field(() => TextComparisonInput, {
    nullable: true,
    description: 'The attribute is not the text: it is another one, or missing.',
  })
  readonly notEquals?: TextComparisonInput;

  @Field(() => ListComparisonInput, { nullable: true, description: 'The attribute is one of the texts.' })
  readonly in?: ListComparisonInput;

  @Field(() => TextComparisonInput, { nullable: true, description: 'The text stands somewhere in the attribute.' })
  readonly contains?: TextComparisonInput;

  @Field(() => TextComparisonInput, { nullable: true, description: 'The attribute begins with the text.' })
  readonly startsWith?: TextComparisonInput;

  @Field(() => TextComparisonInput, { nullable: true, description: 'The attribute ends with the text.' })
  readonly endsWith?: TextComparisonInput;

  @Field(() => ExistsInput, {
    nullable: true,
    description: 'The attribute is there and holds something; blanks and empty lists do not count.',
  })
  readonly exists?: ExistsInput;

  @Field(() => DateComparisonInput, { nullable: true, description: 'The attribute is a date before this one.' })
  readonly before?: DateComparisonInput;

  @Field(() => DateComparisonInput, { nullable: true, description: 'The attribute is a date after this one.' })
  readonly after?: DateComparisonInput;
}
