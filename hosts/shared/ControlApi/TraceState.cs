// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.ControlApi;

/// <summary>The recording of a device: the answer to all calls of <c>/v1/devices/{id}/trace</c>.</summary>
/// <param name="Path">The path of the trace.</param>
/// <param name="Recording">Whether it goes on.</param>
/// <param name="RecordedReads">Reads recorded so far.</param>
/// <param name="DroppedReads">Reads that could not be recorded.</param>
internal sealed record TraceState(string Path, bool Recording, long RecordedReads, long DroppedReads);
