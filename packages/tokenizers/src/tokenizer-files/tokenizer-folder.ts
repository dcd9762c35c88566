/** The files of a model, wherever they are. */
export interface TokenizerFolder {
  /** The text of a file; undefined when there is none of that name. */
  read(name: string): Promise<string | undefined>
  /** The names of the files, folders included (`additional_chat_templates/rag.jinja`). Without it further chat templates are not found. */
  list?(): Promise<readonly string[]>
}
