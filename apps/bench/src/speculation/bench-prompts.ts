/**
 * Eight prompts of different kinds. What a drafter brings depends on the text more than on the drafter: copies and edits repeat their prompt, code
 * and JSON repeat themselves, a story repeats hardly anything. One prompt of a kind shows the order of magnitude, not a ranking.
 */

export interface BenchPrompt {
  readonly kind: string
  /** What a user says; the model's chat template goes around it. */
  readonly content: string
}

const LIGHTHOUSE =
  'The lighthouse keeper climbed the stairs each evening and lit the old lamp before the ships came home. One night the lamp went out, and he walked ' +
  'down to the harbour with a lantern to guide the fishermen between the rocks. In the morning the village thanked him with bread, apples and a new coat.'

const ACCOUNT = `class Account:
    def __init__(self, owner, balance=0):
        self.owner = owner
        self.balance = balance

    def deposit(self, amount):
        self.balance += amount
        return self.balance

    def withdraw(self, amount):
        if amount > self.balance:
            print("not enough money")
            return self.balance
        self.balance -= amount
        return self.balance

    def __str__(self):
        return f"{self.owner}: {self.balance}"`

const PEOPLE = `Ana, 31, Lisbon, chess
Bruno, 45, Porto, tennis
Clara, 28, Faro, painting
Diogo, 52, Braga, fishing
Eva, 39, Coimbra, music`

const SENTENCES = `1. The book is on the table.
2. My brother works in the city.
3. The train leaves at eight in the morning.
4. She bought bread, apples and milk.
5. Tomorrow we will visit our grandmother.`

const HARBOUR = [
  'The harbour of Vale Branco was built in 1764, after a storm had broken the wooden piers of the older one. Its wall is four hundred metres long and',
  'was made of grey stone from the hills behind the town, brought down on sledges in winter when the tracks were frozen. For a hundred years the harbour',
  'lived from sardines: in a good summer two hundred boats left before sunrise, and the women of the town salted the catch in long halls along the quay.',
  'The halls still stand. Three of them are workshops, one is a museum, and the largest, which has a roof of blue tiles, is the market, open every',
  'Tuesday and Saturday from seven in the morning until one.',
  'In 1871 the railway reached the town and changed its trade. Fish that had been salted was now packed in ice and sold in the capital on the same day,',
  'and the salt works north of the river closed one after the other. The engineer of the line, Teresa Monteiro, also drew the iron bridge over the river',
  'mouth, which opened in 1875 and can be turned to let ships pass. It was the first bridge of its kind in the country. The mechanism needed four people',
  'and eleven minutes; since 1932 an electric motor turns it in three.',
  'Today the harbour has places for ninety boats. Forty of them still fish, mostly for squid and sea bream, and the others take visitors to the islands.',
  'The ferry leaves at nine and at two, takes fifty minutes, and does not sail when the wind is stronger than six. The lighthouse on the northern head is',
  'from 1802. Its light is seen from thirty kilometres, and its keeper, the last of the coast, opens the tower to visitors on the first Sunday of each month.',
  'Every September the town holds a feast of boats. They are painted anew, carried through the streets, and put into the water by the children of the school.',
].join(' ')

export const BENCH_PROMPTS: readonly BenchPrompt[] = [
  { kind: 'chat', content: 'Why is the sky blue, and why are sunsets red? Explain it to a curious child.' },
  { kind: 'story', content: 'Write a short story about a fox who learns to play the violin.' },
  { kind: 'code', content: `Add a docstring to each method of this class and return the whole code:\n\`\`\`python\n${ACCOUNT}\n\`\`\`` },
  { kind: 'copy', content: `Repeat this text word for word, but write "tower" instead of "lighthouse":\n${LIGHTHOUSE}` },
  {
    kind: 'JSON',
    content: `Turn each line into a JSON object in one array. The first is done.\n\n${PEOPLE}\n\n[\n  {"name": "Ana", "age": 31, "city": "Lisbon", "hobby": "chess"},`,
  },
  {
    kind: 'arithmetic',
    content:
      'A shop sells pens for 3 euros and books for 12 euros. Ana buys 4 pens and 2 books. How much does she pay? Think step by step.',
  },
  {
    kind: 'translation',
    content: `Translate these sentences into Spanish. Write each English sentence and then its translation.\n${SENTENCES}`,
  },
  { kind: 'long context', content: `${HARBOUR}\n\nSummarise the text in five sentences.` },
]
