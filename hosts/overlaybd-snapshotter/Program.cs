// SPDX-License-Identifier: Apache-2.0

using OverlayBd.SnapshotterHost;

return await SnapshotterCommand.Create().InvokeAsync(args);
