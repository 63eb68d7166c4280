import { Component, type ReactNode } from 'react';
import { t } from '../lib/messages.ts';
import { Button } from '../ui/Button.tsx';
import { ErrorBox } from '../ui/ErrorBox.tsx';

/** A fault in one page leaves the others usable, and the text in the editor alone. */
export class ErrorBoundary extends Component<{ children: ReactNode; resetKey: string }, { error: unknown }> {
  override state: { error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }

  override componentDidUpdate(previous: { resetKey: string }): void {
    if (previous.resetKey !== this.props.resetKey && this.state.error !== null)
      this.setState({ error: null });
  }

  override render(): ReactNode {
    if (this.state.error === null) return this.props.children;
    const message = this.state.error instanceof Error ? this.state.error.message : String(this.state.error);
    return (
      <div className="p-3">
        <ErrorBox error={{ code: 'console', message, severity: t('This page has failed') }} />
        <Button icon="refresh" onClick={() => this.setState({ error: null })}>
          {t('Try again')}
        </Button>
      </div>
    );
  }
}
