// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry.Http;

/// <summary>Carries a failure of an upload's own content through the HTTP client, so that it is not taken for the network's.</summary>
internal sealed class UploadSourceException(Exception cause) : Exception(cause.Message, cause);
