// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry.Endpoints;

/// <summary>A client certificate and its key, PEM files; one file may hold both.</summary>
internal sealed record ClientCertificateFiles(string Certificate, string Key);
