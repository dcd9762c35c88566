/** Where the user is on the page. */
export type MainView = 'chat' | 'tokenizer' | 'models'
export type Panel = 'token' | 'speed' | 'plan' | 'settings'

class View {
  main = $state<MainView>('chat')
  panel = $state<Panel>('speed')
  /** On narrow screens the panels take the place of the main view. */
  showsPanels = $state(false)
  /** The token that the token panel shows. */
  selected = $state<{ readonly turn: string; readonly index: number } | undefined>(undefined)
  /** Read out by screen readers. */
  announcement = $state('')

  go(main: MainView): void {
    this.main = main
    this.showsPanels = false
  }

  inspect(panel: Panel): void {
    this.panel = panel
    this.showsPanels = true
  }

  announce(text: string): void {
    // the same text twice is read twice only if it changes
    this.announcement = this.announcement === text ? `${text}\u00a0` : text
  }
}

export const view = new View()
