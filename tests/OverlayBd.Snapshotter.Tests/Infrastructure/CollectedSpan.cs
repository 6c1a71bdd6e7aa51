// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter.Tests.Infrastructure;

/// <summary>A span as a daemon sent it; ids in hexadecimal digits.</summary>
/// <param name="Service">Who sent it.</param>
/// <param name="Name">Its name.</param>
/// <param name="Trace">The trace it belongs to.</param>
/// <param name="Id">Its own id.</param>
/// <param name="Parent">The id of its parent; empty for none.</param>
/// <param name="Failed">Whether its status is an error.</param>
internal sealed record CollectedSpan(string Service, string Name, string Trace, string Id, string Parent, bool Failed);
