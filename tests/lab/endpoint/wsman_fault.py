# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""WS-Management faults: codes, subcodes and sentences of Windows, in the shapes that were recorded (wsman.md 1.9)."""

from __future__ import annotations

from dataclasses import dataclass

_ACTIONS = {
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing/fault",
    "n": "http://schemas.xmlsoap.org/ws/2004/09/enumeration/fault",
    "x": "http://schemas.xmlsoap.org/ws/2004/09/transfer/fault",
    "e": "http://schemas.xmlsoap.org/ws/2004/08/eventing/fault",
}
_START = "The WS-Management service cannot "
_REQUEST = f"{_START}process the request"


@dataclass(frozen=True)
class ProviderError:
    """What the WMI provider adds to a fault."""

    message: str
    operation: str
    parameter: str
    provider: str
    namespace: str = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/__ExtendedStatus"
    status: int | None = None
    """StatusCode of WMI; null in both recordings."""


WMI_ERROR_NAMESPACES = (
    "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError",
    "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/standardcimv2/MSFT_WmiError",
    "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/microsoft/windows/storage/MSFT_WmiError",
)
"""Where MSFT_WmiError was seen (wsman.md 1.9)."""


@dataclass(frozen=True)
class WmiError:
    """What an answer says that has MSFT_WmiError and not WSManFault; defaults as recorded (wsman.md 1.9 c)."""

    message: str
    namespace: str = WMI_ERROR_NAMESPACES[0]
    cim_status: int = 27
    error_type: str = "HRESULT"


class WsmanFaultError(Exception):
    """A request is answered with this fault and HTTP 500."""

    def __init__(
        self,
        code: int,
        subcode: str,
        message: str,
        *,
        receiver: bool = False,
        detail: str = "",
        provider: ProviderError | None = None,
        wmi_error: WmiError | None = None,
    ) -> None:
        """Describe a fault.

        Args:
            code: WSManFault/@Code, decimal.
            subcode: SOAP subcode with its usual prefix; empty for none.
            message: The sentence.
            receiver: s:Receiver and not s:Sender.
            detail: Last part of the FaultDetail URI.
            provider: Present when the WMI provider refused.
            wmi_error: Answer with this MSFT_WmiError and not WSManFault.
        """
        super().__init__(f"{code}: {message}")
        self.code = code
        self.subcode = subcode
        self.message = message
        self.receiver = receiver
        self.detail = detail
        self.provider = provider
        self.wmi_error = wmi_error
        self.relates_to = ""

    @property
    def action(self) -> str:
        """wsa:Action of the answer."""
        return _ACTIONS[self.subcode.partition(":")[0] or "w"]


# Code, subcode, receiver, FaultDetail, sentence. Codes and subcodes: wsman.md 1.9, and wsmerror.h of the Windows SDK
# for those that the sheet does not list.
_CATALOGUE: dict[str, tuple[int, str, bool, str, str]] = {
    "not_found": (
        2150858752,
        "a:DestinationUnreachable",
        False,
        "InvalidResourceURI",
        f"{_REQUEST}. The service cannot find the resource identified by the resource URI and selectors. ",
    ),
    "invalid_header": (
        2150858767,
        "a:InvalidMessageInformationHeader",
        False,
        "",
        f"{_REQUEST}. The request contains one or more invalid SOAP headers. ",
    ),
    "header_required": (
        2150858769,
        "a:MessageInformationHeaderRequired",
        False,
        "",
        f"{_REQUEST}. The request does not have all the expected SOAP headers. ",
    ),
    "action_not_supported": (
        2150858771,
        "a:ActionNotSupported",
        False,
        "",
        "The WS-Management service does not support the action specified in the request. ",
    ),
    "filter": (
        2150858778,
        "n:CannotProcessFilter",
        False,
        "",
        (
            "The data source could not process the filter. The filter might be missing or it might be invalid. "
            "Change the filter and try the request again.  "
        ),
    ),
    "filter_dialect": (
        2150858777,
        "n:FilterDialectRequestedUnavailable",
        False,
        "",
        "The filter dialect (the type associated with the filter) was not supported for this resource. ",
    ),
    "enumeration_context": (
        2150858779,
        "n:InvalidEnumerationContext",
        True,
        "",
        "The WS-Enumeration context in the enumeration is not valid. Enumeration may have been completed or canceled. ",
    ),
    "delivery_mode": (
        2150858782,
        "e:DeliveryModeRequestedUnavailable",
        False,
        "",
        "The WS-Management service does not support the delivery mode for the specified resource. ",
    ),
    "event_filter": (
        2150858786,
        "e:FilteringRequestedUnavailable",
        False,
        "",
        "The event source cannot process the specified filter. ",
    ),
    "invalid_body": (
        2150858791,
        "w:InvalidBody",
        False,
        "",
        f"{_REQUEST} because the request packet does not have a valid SOAP body. ",
    ),
    "timed_out": (
        2150858793,
        "w:TimedOut",
        True,
        "",
        f"{_START}complete the operation within the time specified in OperationTimeout.  ",
    ),
    "encoding_limit": (
        2150858805,
        "w:EncodingLimit",
        False,
        "",
        f"{_REQUEST} because the encoding of the request exceeds an internal encoding limit. ",
    ),
    "invalid_bookmark": (2150858808, "w:InvalidBookmark", False, "", "The bookmark in the subscription is invalid. "),
    "invalid_resource_uri": (
        2150858811,
        "w:InvalidResourceURI",
        False,
        "",
        f"{_REQUEST}. The resource URI is missing or it has an incorrect format. ",
    ),
    "schema": (
        2150858817,
        "w:SchemaValidationError",
        False,
        "",
        "The SOAP XML in the message does not match the corresponding XML schema definition. ",
    ),
    "unsupported_feature": (
        2150858818,
        "w:UnsupportedFeature",
        False,
        "Locale",
        "The WS-Management service does not support the specified feature. ",
    ),
    "invalid_xml": (2150858819, "w:SchemaValidationError", False, "", f"{_REQUEST} because the XML is invalid. "),
    "envelope_exceeded": (
        2150858824,
        "w:EncodingLimit",
        False,
        "MaxEnvelopeSizeExceeded",
        "The response that the WS-Management service computed exceeds the maximum envelope size in the request. ",
    ),
    "unexpected_selectors": (
        2150858843,
        "w:InvalidSelectors",
        False,
        "UnexpectedSelectors",
        f"{_REQUEST} because the request contained invalid selectors for the resource. ",
    ),
    "singleton": (
        2150859002,
        "a:DestinationUnreachable",
        False,
        "InvalidResourceURI",
        f"{_REQUEST}. The selectors do not fit a WMI class that is, or is not, a singleton. ",
    ),
    "wql_with_class": (
        2150859003,
        "n:CannotProcessFilter",
        False,
        "",
        f"{_REQUEST}. A WQL query needs a resource URI that ends in an asterisk, not in a class. ",
    ),
    "aborted": (995, "w:InternalError", True, "", "The I/O operation has been aborted. "),
    "access_denied": (5, "w:AccessDenied", False, "", "Access is denied. "),
    "internal": (
        2147749889,  # WBEM_E_FAILED
        "w:InternalError",
        True,
        "",
        f"{_REQUEST}. The backend of the lab failed. ",
    ),
}


def fault(name: str, provider: ProviderError | None = None) -> WsmanFaultError:
    """Return a fault of the catalogue."""
    code, subcode, receiver, detail, message = _CATALOGUE[name]
    return WsmanFaultError(code, subcode, message, receiver=receiver, detail=detail, provider=provider)


def shell_quota_fault(limit: int) -> WsmanFaultError:
    """Too many shells: the shape of wsman.md 1.9 (c)."""
    return WsmanFaultError(
        2150859173,
        "w:QuotaLimit",
        f"{_REQUEST}. The maximum number of concurrent shells for this user has been exceeded. "
        "Close existing shells or raise the quota for this user. ",
        wmi_error=WmiError(
            f"{_REQUEST}. This user is allowed a maximum number of {limit} concurrent shells, "
            "which has been exceeded. Close existing shells or raise the quota for this user. "
        ),
    )
