/** LISTEN, UNLISTEN, NOTIFY: they take effect when the transaction commits. */
import { notifyChecked } from '../backend-functions.ts';
import type { SessionCommand } from './index.ts';
import { text } from './tree.ts';

export function listen(command: SessionCommand): string {
  const { session } = command;
  session.block.forStatement();
  const channel = text(command.statement.tree, 'conditionname');
  session.notifications.deferListen(() => session.engine.sessions.listen(session.entry, channel));
  return 'LISTEN';
}

export function unlisten(command: SessionCommand): string {
  const { session } = command;
  session.block.forStatement();
  const channel = text(command.statement.tree, 'conditionname');
  session.notifications.deferListen(() => {
    if (channel === '') session.engine.sessions.unlistenAll(session.entry);
    else session.engine.sessions.unlisten(session.entry, channel);
  });
  return 'UNLISTEN';
}

export function notify(command: SessionCommand): string {
  const { session } = command;
  session.block.forStatement();
  notifyChecked(
    session,
    text(command.statement.tree, 'conditionname'),
    text(command.statement.tree, 'payload'),
  );
  return 'NOTIFY';
}
