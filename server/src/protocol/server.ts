/** The doors: listens on TCP and on the Unix socket and gives each connection its own object. */
import type { DbError } from '../base/error.ts';
import type { Address, Listener, Network } from '../env/contract.ts';
import { ClientConnection, type ConnectionServices } from './connection.ts';

export class ProtocolServer {
  private readonly listeners: Listener[] = [];
  private readonly connections = new Set<ClientConnection>();
  private readonly network: Network;
  private readonly services: ConnectionServices;

  constructor(network: Network, services: Omit<ConnectionServices, 'closed'>) {
    this.network = network;
    this.services = { ...services, closed: (connection) => this.connections.delete(connection) };
  }

  async listen(address: Address, socketMode?: number): Promise<Address> {
    const listener = await this.network.listen(
      address,
      (socket) => {
        this.connections.add(new ClientConnection(socket, this.services));
      },
      { backlog: 1024, socketMode },
    );
    this.listeners.push(listener);
    return listener.address;
  }

  get connectionCount(): number {
    return this.connections.size;
  }

  /** Stops accepting. */
  async stopListening(): Promise<void> {
    await Promise.all(this.listeners.map((listener) => listener.close()));
    this.listeners.length = 0;
  }

  /** Tells every client why and ends its connection. */
  closeAll(error: DbError): void {
    for (const connection of [...this.connections]) connection.fatal(error);
  }
}
