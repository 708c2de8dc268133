"""A store gets what another one has and it lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnbench.store.exchange import Recorded, origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnbench.store.adding import Added
    from cnnbench.store.database import Store


def copied(source: Store, target: Store) -> Iterator[Added]:
    """Copy launches that ended, a campaign at a time, and proofs; yields what each added.

    What was added stays if a later one fails: the next copy goes on there. Launches that end in a
    campaign that was copied while it was under way join it then.

    Raises:
        StoreError: One of them cannot be read or written.
    """
    known = target.ended_launches()
    lacking = {own for launch, own in source.ended_launches().items() if launch not in known}
    for campaign in source.campaigns():
        if campaign.id in lacking:
            found = source.launches(campaign=campaign.id)
            new = tuple(launch for launch in found if launch.id not in known)
            yield target.add(Recorded(campaigns={campaign.id: origin(campaign)}, launches=new))
    yield target.add(Recorded(campaigns={}, launches=(), proofs=tuple(source.proofs())))
