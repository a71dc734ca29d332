"""The queue: so many requests may wait or be on their way in, and those of one kind leave it together."""

import time
from collections import deque
from threading import Condition

from toile.service.ticket import Ticket


class Place:
    """A place in the queue, taken before a request is read, so that what is being read is bounded too."""

    def __init__(self, line: "Line") -> None:
        self.ticket: Ticket | None = None
        """Who waits there; None while the request is still arriving."""
        self.left = False
        """Whether it was given back."""
        self._line = line

    def leave(self) -> None:
        """Give the place back; a second time changes nothing."""
        self._line.leave(self)


class Line:
    """A bounded queue of tickets.

    Args:
        capacity: places.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.closed = False
        """Whether no more is taken out of it."""
        self._changed = Condition()
        self._taken = 0
        self._waiting: deque[Place] = deque()

    def __len__(self) -> int:
        """How many wait or are on their way in."""
        return self._taken

    @property
    def full(self) -> bool:
        """Whether there is no place left."""
        return self._taken >= self.capacity

    def enter(self) -> Place | None:
        """Take a place for a request that is about to arrive; None when there is none."""
        with self._changed:
            if self.full:
                return None
            self._taken += 1
            return Place(self)

    def put(self, ticket: Ticket, place: Place) -> None:
        """Have a ticket wait in a place; it leaves by itself when it is settled."""
        with self._changed:
            place.ticket = ticket
            self._waiting.append(place)
            self._changed.notify_all()
        ticket.outcome.add_done_callback(lambda _: place.leave())

    def leave(self, place: Place) -> None:
        """Free a place; a second time changes nothing."""
        with self._changed:
            if place.left:
                return
            place.left = True
            self._taken -= 1
            if place in self._waiting:
                self._waiting.remove(place)
            self._changed.notify_all()

    def take(self, most: int, patience: float) -> list[Ticket]:
        """Take out the ticket that waits longest and others of its group; they are started.

        While fewer than `most` of them are there and requests are on their way in, some time is given to
        those: a request that comes alone is never kept waiting.

        Args:
            most: tickets.
            patience: seconds to wait for others.

        Returns:
            At least one ticket; none when the line is closed.
        """
        with self._changed:
            while not self.closed:
                self._changed.wait_for(lambda: self.closed or self._waiting)
                found = self._gathered(most, patience)
                if found:
                    return self._start(found)
        return []

    def waiting(self) -> list[Ticket]:
        """Those that wait, the longest first."""
        with self._changed:
            return [place.ticket for place in self._waiting if place.ticket is not None]

    def close(self) -> None:
        """Let nobody take any more."""
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    def _gathered(self, most: int, patience: float) -> list[Place]:
        """Wait for others of the first ticket's group; nobody is found when all who waited have left."""
        until = time.monotonic() + patience
        while self._waiting and not self.closed:
            found, rest = self._mates(most), until - time.monotonic()
            if len(found) == most or rest <= 0 or self._taken == len(self._waiting):
                return found
            self._changed.wait(rest)
        return []

    def _mates(self, most: int) -> list[Place]:
        """The places of the first ticket and of others of its group."""
        first = self._waiting[0].ticket
        assert first is not None
        group = first.group
        return [place for place in self._waiting if place.ticket and place.ticket.group == group][:most]

    def _start(self, places: list[Place]) -> list[Ticket]:
        tickets = [place.ticket for place in places if place.ticket is not None]
        for ticket in tickets:
            ticket.start()
        for place in places:
            place.leave()
        return tickets
