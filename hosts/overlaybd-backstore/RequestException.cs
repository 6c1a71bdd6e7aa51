// SPDX-License-Identifier: Apache-2.0

using OverlayBd.ControlApi;

namespace OverlayBd.Backstore;

/// <summary>A request that the server refuses, with the code the caller gets.</summary>
/// <param name="code">One of <see cref="ErrorCodes"/>.</param>
/// <param name="message">What is wrong, as one sentence.</param>
internal sealed class RequestException(string code, string message) : Exception(message)
{
    public string Code { get; } = code;
}
