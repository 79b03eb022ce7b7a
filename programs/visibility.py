"""Grid visibility (BUC-13): what the home measures, for those whom the owner lets see it.

It asks nothing of any device, so it has no rule of its own here: `hems.visibility` keeps what is
measured, and who may see it. The utility has the means of each interval by its mirror, as often as
its post rate says; all else, and what others see, the owner grants.
"""

from typing import Final

from programs.about import About, Latency

ID: Final = "visibility"
ABOUT: Final = About(
    use_cases=("BUC-13",),
    title="Grid visibility",
    triggered_by="A recipient with a certificate and the owner's grant, who asks or listens; "
    "the utility by the post rate of its mirror",
    asks="Nothing of any device: active and reactive power, voltage, frequency and energy by "
    "phase are shown as they are measured, with their time and quality",
    ends="On the day that the grant names, or when the owner withdraws it",
    carried_by=("MirrorUsagePoint, postRate", "HTTPS with a recipient's own certificate"),
    clause="IEEE 2030.5 metering mirror",
    latency=Latency.SUB_SECOND,
    leaving="Nobody but the utility, by its mirror, sees what the home measures any more.",
)
