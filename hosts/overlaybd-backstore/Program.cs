// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Backstore;

return await BackstoreCommand.Create().InvokeAsync(args);
